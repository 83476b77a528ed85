"""The reports: static pages from the tables and `reports/`, and the morning summary."""
