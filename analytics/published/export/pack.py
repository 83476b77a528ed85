"""The pack of a month: every file that finance books and audits it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.published.export.files import Format, write_statement
from analytics.published.export.month import read_month

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import duckdb

    from analytics.finance.books.entries import ClosingFacts


def write_pack(
    con: duckdb.DuckDBPyConnection, month: date, folder: Path, closing: ClosingFacts | None
) -> list[Path]:
    """Write every file of the pack into an empty folder, and return them."""
    from analytics.published.export.closed import as_closed

    lines = read_month(con, f"{month:%Y-%m}", None)
    if closing:
        lines = as_closed(lines, closing)
    return write_statement(lines, Format.xlsx, folder / f"levain-{month:%Y-%m}.xlsx")
