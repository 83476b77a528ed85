"""The workbook of a month: the statement, a sheet for each table, exact digits, definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxwriter.utility import xl_range

from analytics.published.export import statement_sheet
from analytics.published.export.definitions import PackDefinition
from analytics.published.export.month_tables import LINES, TABLES
from analytics.published.export.sheets import new_book
from analytics.published.values import as_text

if TYPE_CHECKING:
    from typing import BinaryIO

    from analytics.published.export.month_end import MonthEnd
    from analytics.published.export.month_tables import Table
    from analytics.published.export.sheets import Book

_NUMBERS = PackDefinition(
    "",
    "",
    "Numbers",
    "",
    "A cell shows two decimals of an amount and holds more, up to the 15 digits that a spreadsheet "
    "calculates with. The sheet Exact has the lines as text, with every digit.",
)


def write_workbook(
    month_end: MonthEnd, definitions: list[PackDefinition], target: BinaryIO
) -> None:
    """Write the workbook; text is stored as text, never as a formula."""
    with new_book(target, month_end.cut_off, f"{month_end.words}: {month_end.state}") as book:
        totals = {}
        statement = book.sheet("Statement")
        for table in TABLES:
            if table.sheet:
                totals[table.name] = _add_table(book, month_end, table)
        statement_sheet.fill(book, statement, month_end, totals)
        _add_exact(book, month_end)
        _add_definitions(book, [*definitions, _NUMBERS])


def _add_table(book: Book, month_end: MonthEnd, table: Table) -> dict[str, str]:
    """Add the sheet of a table; return the cell of each total."""
    frame = month_end.tables[table.name]
    sheet = book.sheet(table.sheet)
    if frame.is_empty():
        sheet.write_string(0, 0, table.empty)
        return {}
    heads = [table.label(name) for name in frame.columns]
    totals = book.fill(sheet, heads, frame.columns, frame.rows(), table.sums)
    for step, first in table.totals(frame.to_dicts()).items():
        place = frame.columns.index("amount_usd")
        formula = f"=SUM({xl_range(first + 1, place, step, place)})"
        amount = frame["amount_usd"][step]
        book.write_sum(sheet, step + 1, place, formula, amount, "amount_usd", valign="top", top=1)
    return totals


def _add_exact(book: Book, month_end: MonthEnd) -> None:
    frame = month_end.tables[LINES.name]
    sheet = book.sheet("Exact")
    if frame.is_empty():
        sheet.write_string(0, 0, LINES.empty)
        return
    total = {"agent_name": "Total", **month_end.total}
    rows = [*frame.iter_rows(named=True), total]
    cells = [[as_text(row.get(name)) for name in frame.columns] for row in rows]
    book.fill(sheet, frame.columns, frame.columns, cells, ())


def _add_definitions(book: Book, definitions: list[PackDefinition]) -> None:
    sheet = book.sheet("Definitions")
    heads = [name.capitalize() for name in PackDefinition._fields]
    book.fill(sheet, heads, PackDefinition._fields, definitions, ())
