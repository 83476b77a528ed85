"""Finance: files of the user beside the figures, and statements made of both."""
