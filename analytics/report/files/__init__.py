"""From pages to files: HTML, data for scripts, and what need not be made again."""
