"""The workbook of a month, of six sheets: the statement first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from analytics.export import statement_sheet
from analytics.export.month_tables import (
    ACCRUALS,
    ADJUSTMENTS,
    CHECKS,
    COST_CENTERS,
    JOURNAL,
    LINES,
    Table,
)
from analytics.export.sheets import new_book

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.export.month_end import MonthEnd
    from analytics.export.sheets import Book

SHEETS: Mapping[str, tuple[Table, ...]] = {
    "Lines": (LINES,),
    "Cost centers": (COST_CENTERS,),
    "Adjustments and accruals": (ADJUSTMENTS, ACCRUALS),
    "Journal": (JOURNAL,),
    "Checks": (CHECKS,),
}
"""The tables of each sheet after the statement, one below the other."""


def write_workbook(month_end: MonthEnd, target: Path) -> None:
    """Write the workbook; text is stored as text, never as a formula."""
    with new_book(target, month_end.cut_off, f"{month_end.words}: {month_end.state}") as book:
        statement = book.sheet("Statement")
        adjustments: dict[str, str] = {}
        for name, tables in SHEETS.items():
            sheet = book.sheet(name)
            if len(tables) == 1:
                _add_table(book, sheet, month_end, tables[0])
            else:
                adjustments |= _add_tables(book, sheet, month_end, tables)
        statement_sheet.fill(book, statement, month_end, adjustments)


def _add_table(book: Book, sheet: Any, month_end: MonthEnd, table: Table) -> None:
    """Fill a sheet with a table."""
    frame = month_end.tables[table.name]
    if frame.is_empty():
        sheet.write_string(0, 0, table.empty)
        return
    heads = [table.label(name) for name in frame.columns]
    book.fill(sheet, heads, frame.columns, frame.rows(), table.sums)


def _add_tables(
    book: Book, sheet: Any, month_end: MonthEnd, tables: tuple[Table, ...]
) -> dict[str, str]:
    """Fill a sheet with tables, each below its title; return the cells of their totals."""
    top = 0
    totals: dict[str, str] = {}
    for table in tables:
        frame = month_end.tables[table.name]
        sheet.write_string(top, 0, table.title, book.format(bold=True, font_size=14))
        if frame.is_empty():
            sheet.write_string(top + 1, 0, table.empty)
        else:
            heads = [table.label(name) for name in frame.columns]
            totals |= book.write_table(
                sheet, top + 1, heads, frame.columns, frame.rows(), table.sums
            )
        top += frame.height + 4
    return totals
