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


def write_table(
    con: duckdb.DuckDBPyConnection, relation: str, frame: pl.DataFrame, *, exists: bool = False
) -> int:
    """Create a table from a frame, or fill one that exists; return the number of rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.parquet"
        path.write_bytes(as_parquet(frame))
        made = con.execute(f"{filling(relation, exists)} from read_parquet(?)", [str(path)])
        ((rows,),) = made.fetchall()
    return int(rows)


def as_parquet(frame: pl.DataFrame) -> memoryview:
    """Return the content of a file, which Polars could write itself, but not say why it cannot."""
    made = io.BytesIO()
    frame.write_parquet(made)
    return made.getbuffer()


def filling(relation: str, exists: bool) -> str:
    """Return the words before a SELECT whose rows a table gets; it may be in catalog `temp`."""
    if exists:
        return f"insert into {relation}"
    return f"create {'temp ' if relation.startswith('temp.') else ''}table {relation} as"
