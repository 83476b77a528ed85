"""Warehouse: the DuckDB files of a batch, from loading landing files to publishing the marts."""
