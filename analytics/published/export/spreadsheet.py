"""A statement as a spreadsheet: numbers to calculate with, the exact digits, the definitions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from xlsxwriter import Workbook

from analytics.published.export.definitions import Definition
from analytics.published.output import as_text
from analytics.terminal import visible

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.published.export.month import Statement

_MONEY = "#,##0.00########"
_COUNT = "#,##0"
_SHARE = "0.0%"
_WIDEST = 40
_NUMBERS = Definition(
    "Numbers",
    "",
    "A spreadsheet calculates with 15 digits. The sheet Exact has the same lines as text, with "
    "every digit.",
)


def write(statement: Statement, target: Path) -> None:
    """Write the workbook; text is stored as text, never as a formula."""
    with Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        # The same figures make the same file.
        book.set_properties({"created": statement.cut_off})
        _add_lines(book, f"{statement.month:%Y-%m}", statement, is_exact=False)
        _add_lines(book, "Exact", statement, is_exact=True)
        _add_definitions(book, [*statement.definitions, _NUMBERS])


def _add_lines(book: Workbook, name: str, statement: Statement, *, is_exact: bool) -> None:
    sheet = book.add_worksheet(name)
    columns = statement.lines.columns
    last = statement.lines.height
    bold = {"bold": True}
    for index, column in enumerate(columns):
        sheet.write_string(0, index, column, book.add_format({**bold, "bottom": 1}))
        number_format = {"num_format": _number_format(column)}
        plain = book.add_format(number_format)
        total = book.add_format({**number_format, **bold, "top": 1})
        values = statement.lines[column].to_list()
        for row, value in enumerate(values, start=1):
            _write_cell(sheet, row, index, value, total if row == last else plain, is_exact)
        longest = max(len(as_text(value)) for value in [column, *values])
        sheet.set_column(index, index, min(longest + 2, _WIDEST))
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    sheet.freeze_panes(1, 4)
    sheet.autofilter(0, 0, max(last - 1, 1), len(columns) - 1)


def _write_cell(
    sheet: Any, row: int, column: int, value: Any, cell_format: Any, is_exact: bool
) -> None:
    if value is None:
        sheet.write_blank(row, column, None, cell_format)
    elif isinstance(value, str):
        sheet.write_string(row, column, visible(value), cell_format)
    elif is_exact and isinstance(value, Decimal):
        sheet.write_string(row, column, as_text(value), cell_format)
    else:
        sheet.write_number(row, column, value, cell_format)


def _number_format(column: str) -> str:
    if column.endswith("_usd"):
        return _MONEY
    return _SHARE if column == "failure_rate" else _COUNT


def _add_definitions(book: Workbook, definitions: list[Definition]) -> None:
    sheet = book.add_worksheet("Definitions")
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    head = book.add_format({"bold": True, "bottom": 1})
    for index, text in enumerate(Definition._fields):
        sheet.write_string(0, index, text, head)
    for row, definition in enumerate(definitions, start=1):
        for index, text in enumerate(definition):
            sheet.write_string(row, index, visible(text), wrapped)
    sheet.set_column(0, 1, 28)
    sheet.set_column(2, 2, 110)
    sheet.freeze_panes(1, 0)
