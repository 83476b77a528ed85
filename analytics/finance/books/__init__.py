"""The books: closed months, frozen in files that are never changed after."""
