"""Conversions between DuckDB and Polars, without pyarrow."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl


def read_frame(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str] = ("*",)
) -> pl.DataFrame:
    """Return all rows of a relation as a frame; decimals and instants keep their exact types."""
    return pl.DataFrame(con.sql(f"select {', '.join(columns)} from {relation}"))


def write_table(con: duckdb.DuckDBPyConnection, relation: str, frame: pl.DataFrame) -> int:
    """Create a table from a frame, and return its number of rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.parquet"
        path.write_bytes(as_parquet(frame))
        made = con.execute(f"{create_table(relation)} as from read_parquet(?)", [str(path)])
        ((rows,),) = made.fetchall()
    return int(rows)


def as_parquet(frame: pl.DataFrame) -> memoryview:
    """Return the content of a file, which Polars could write itself, but not say why it cannot."""
    made = io.BytesIO()
    frame.write_parquet(made)
    return made.getbuffer()


def create_table(relation: str) -> str:
    """Return the words that create a table, which may be in the catalog `temp`."""
    return f"create {'temp ' if relation.startswith('temp.') else ''}table {relation}"
