"""How figures are written and drawn: numbers, names, sentences, tables, axes."""
