"""Figures, names, days and templates of texts, as every page, table and export writes them."""
