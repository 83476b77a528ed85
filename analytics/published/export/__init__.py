"""Files for finance, made of what is published."""
