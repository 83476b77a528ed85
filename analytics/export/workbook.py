"""The workbook of a month, of six sheets: the statement first, on one page of A4 in landscape."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

from analytics.export.month import TABLES
from analytics.export.month_end import WHY_EARLY
from analytics.export.sheets import Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analytics.export.month_end import Block, MonthEnd, Row

_SHEETS = [*dict.fromkeys(table.sheet for table in TABLES.values() if table.sheet)]
_TEXTS = {
    "workspace_name": 20, "agent_name": 30, "owner": 16, "cost_center": 13,
}  # fmt: skip
_SUMS = {
    "billed_usd": 13, "surcharge_usd": 12, "own_key_usd": 19, "metered_cost_usd": 13,
    "run_count": 9, "succeeded_count": 11, "failed_count": 9,
}  # fmt: skip
_COLUMNS = {**_TEXTS, **_SUMS, "failure_rate": 9}  # of the statement, each with its width
_PLACES = {name: place for place, name in enumerate(_COLUMNS)}
_HEAD = 5  # row of the headings
_LINE_HEIGHT, _HIGHEST = 15, 409  # of a row, in points
_ONE_PAGE = 48  # rows that are legible on one page
_SUBTOTAL: Mapping[str, Any] = {"top": 1, "bg_color": "#F2F4F7"}
_NOTE = (
    "US dollars. Metered cost + surcharge - own-key cost = billed, where each day's bill is known. "
    "Own-key cost is payable to the provider, not to Levain. A cell shows cents and holds more "
    "digits: lines.csv has them all."
)
_UNBOOKED = "Own-key cost is not in the journal."


def write_workbook(month_end: MonthEnd, target: Path) -> None:
    """Write the workbook; text is stored as text, never as a formula.

    The same figures make the same file. OSError if it cannot be written.
    """
    content = BytesIO()  # as the library leaves a file open that it failed to write
    as_text_only = {"strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(content, {"in_memory": True, **as_text_only}) as book:
        book.set_properties({"created": month_end.cut_off})
        footer = f"{month_end.words}: {month_end.state}"
        statement = Sheet(book, "Statement", footer)
        totals: dict[str, str] = {}
        for sheet_name in _SHEETS:
            sheet, top = Sheet(book, sheet_name, footer), 0
            tables = {name: each for name, each in TABLES.items() if each.sheet == sheet_name}
            for name, table in tables.items():
                frame = month_end.tables[name]
                if len(tables) > 1:
                    sheet.write(top, 0, table.title, bold=True, font_size=14)
                    top += 1
                totals |= sheet.write_table(top, table, frame)
                top += frame.height + 3
        _fill_statement(statement, month_end, totals)
    target.write_bytes(content.getvalue())


def _fill_statement(sheet: Sheet, month_end: MonthEnd, totals: Mapping[str, str]) -> None:
    """Write the statement; `totals` are the cells of those of adjustments, by column."""
    _add_cover(sheet, month_end)
    row = _HEAD + 1
    subtotals = []
    for block in month_end.blocks:
        row = _add_block(sheet, row, block)
        subtotals.append(row - 1)
    _add_sums(sheet, row, month_end, subtotals, totals)
    note = f"{_NOTE} {_UNBOOKED}" if month_end.is_own_key_unbooked else _NOTE
    sheet.write(row + 4, 0, note, italic=True)
    sheet.write(row + 5, 0, month_end.carried, italic=True)
    sheet.page.freeze_panes(_HEAD + 1, 0)
    sheet.page.repeat_rows(_HEAD)
    sheet.page.print_area(0, 0, row + 5, len(_COLUMNS) - 1)
    sheet.page.fit_to_pages(1, 1 if row + 4 <= _ONE_PAGE else 0)


def _add_cover(sheet: Sheet, month_end: MonthEnd) -> None:
    sheet.page.set_row(0, 24)
    sheet.write(0, 0, f"Statement of cost, {month_end.words}", bold=True, font_size=16)
    facts = dict(month_end.facts)
    if reasons := facts.pop(WHY_EARLY, None):  # above the headings, as wide as the page
        row, last = _HEAD - 1, len(_COLUMNS) - 1
        wrapped: dict[str, Any] = {"text_wrap": True, "valign": "top"}
        sheet.write(row, 0, WHY_EARLY, bold=True, valign="top")
        sheet.page.merge_range(row, 1, row, last, "", sheet.format(**wrapped))
        sheet.write(row, 1, reasons, **wrapped)
        lines = len(reasons) // sum([*_COLUMNS.values()][1:]) + 1
        sheet.page.set_row(row, min(_LINE_HEIGHT * lines, _HIGHEST))
    half = (len(facts) + 1) // 2
    for number, (label, text) in enumerate(facts.items()):
        row, place = 1 + number % half, _PLACES["billed_usd"] * (number // half)
        sheet.write(row, place, label, bold=True)
        sheet.write(row, place + 1, text)
    for name, width in _COLUMNS.items():
        label = "Workspace" if name == "workspace_name" else TABLES["lines"].label(name)
        aligned = {} if name in _TEXTS else {"align": "right"}
        sheet.write(_HEAD, _PLACES[name], label, bold=True, text_wrap=True, bottom=1,
                    valign="bottom", **aligned)  # fmt: skip
        sheet.page.set_column(_PLACES[name], _PLACES[name], width)


def _add_block(sheet: Sheet, row: int, block: Block) -> int:
    """Write the lines of a workspace and their subtotal; return the row below."""
    first = row
    for line in block.lines:
        for name in (*_TEXTS, *_SUMS):
            sheet.write(row, _PLACES[name], line[name], name)
        _add_rate(sheet, row, line)
        row += 1
    _add_label(sheet, row, f"Total {block.name}", **_SUBTOTAL)
    for name in _SUMS:
        formula = f"=SUM({xl_range(first, _PLACES[name], row - 1, _PLACES[name])})"
        sheet.write_sum(row, _PLACES[name], formula, block.subtotal[name], name, **_SUBTOTAL)
    _add_rate(sheet, row, block.subtotal, bold=True, **_SUBTOTAL)
    return row + 1


def _add_sums(
    sheet: Sheet, row: int, month_end: MonthEnd, subtotals: list[int], totals: Mapping[str, str]
) -> None:
    """Write the total of the month, its adjustments, and both together."""
    last: dict[str, Any] = {"top": 1, "bottom": 6}
    _add_label(sheet, row, f"Total {month_end.words}", top=2)
    _add_label(sheet, row + 1, "Adjustments of earlier months")
    _add_label(sheet, row + 2, "Total to book", **last)
    for name in _SUMS:
        place = _PLACES[name]
        cells = [xl_rowcol_to_cell(each, place) for each in subtotals]
        parts = [f"SUM({','.join(cells[at : at + 200])})" for at in range(0, len(cells), 200)]
        formula = "=" + ("+".join(parts) or "0")
        sheet.write_sum(row, place, formula, month_end.total[name], name, top=2)
        if name in month_end.adjustments:
            formula = f"={totals.get(f'difference_{name}', '0')}"
            sheet.write_sum(row + 1, place, formula, month_end.adjustments[name], name)
            formula = f"=SUM({xl_range(row, place, row + 1, place)})"
            sheet.write_sum(row + 2, place, formula, month_end.to_book[name], name, **last)
    _add_rate(sheet, row, month_end.total, bold=True, top=2)


def _add_label(sheet: Sheet, row: int, text: str, **properties: Any) -> None:
    """Write what a row of sums is of, as wide as the texts of a line."""
    for place in range(len(_TEXTS)):
        sheet.write(row, place, None, **properties)
    sheet.write(row, 0, text, bold=True, **properties)


def _add_rate(sheet: Sheet, row: int, line: Row, **properties: Any) -> None:
    """Write the failure rate of a row, calculated from its counts."""
    failed, succeeded = (
        xl_rowcol_to_cell(row, _PLACES[name]) for name in ("failed_count", "succeeded_count")
    )
    counts = (line["failed_count"], line["succeeded_count"])
    finished = None if None in counts else sum(counts)
    sheet.page.write_formula(
        row,
        _PLACES["failure_rate"],
        f'=IF({failed}+{succeeded}=0,"",{failed}/({failed}+{succeeded}))',
        sheet.format(num_format="0.0%", **properties),
        line["failed_count"] / finished if finished else "",
    )
