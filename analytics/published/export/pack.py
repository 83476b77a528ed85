"""The pack of a month: every file that finance books and audits it with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import polars as pl

from analytics.published.export.files import Format, write_statement
from analytics.published.export.focus import read_focus
from analytics.published.export.month import read_month

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import duckdb

    from analytics.finance.books.entries import ClosingFacts


def write_pack(
    con: duckdb.DuckDBPyConnection, month: date, folder: Path, *, closing: ClosingFacts | None
) -> list[Path]:
    """Write every file of the pack into an empty folder, and return them."""
    name = f"{month:%Y-%m}"
    lines = read_month(con, name, None)
    if closing:
        status = pl.lit("closed").alias("status")
        lines = dataclasses.replace(lines, lines=lines.lines.with_columns(status))
    written = []
    for form in (Format.csv, Format.xlsx):
        written += write_statement(lines, form, folder / f"levain-{name}.{form}")
    written += write_statement(
        read_focus(con, name, None), Format.csv, folder / f"levain-focus-{name}.csv"
    )
    return written
