"""Finance: files of the user beside the figures, and the books: closed months, frozen."""
