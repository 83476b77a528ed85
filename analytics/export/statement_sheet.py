"""The first sheet of the workbook: the statement, on one page of A4 in landscape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

from analytics.export.month_end import WHY_EARLY
from analytics.export.month_tables import LINES
from analytics.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.export.month_end import Block, MonthEnd, Row
    from analytics.export.sheets import Book

_TEXTS = {
    "workspace_name": 20, "agent_name": 30, "owner": 16, "cost_center": 13,
}  # fmt: skip
_SUMS = {
    "billed_usd": 13, "surcharge_usd": 12, "own_key_usd": 19, "metered_cost_usd": 13,
    "run_count": 9, "succeeded_count": 11, "failed_count": 9,
}  # fmt: skip
_COLUMNS = {**_TEXTS, **_SUMS, "failure_rate": 9}  # each with its width
_PLACES = {name: place for place, name in enumerate(_COLUMNS)}
_HEAD = 5  # row of the headings
_LINE_HEIGHT, _HIGHEST = 15, 409  # of a row, in points
_ONE_PAGE = 48  # rows that are legible on one page
_NOTE = (
    "US dollars. Metered cost + surcharge - own-key cost = billed, where each day's bill is known. "
    "Own-key cost is payable to the provider, not to Levain. A cell shows cents and holds more "
    "digits: lines.csv has them all."
)
_UNBOOKED = "Own-key cost is not in the journal."


def fill(book: Book, sheet: Any, month_end: MonthEnd, adjustments: Mapping[str, str]) -> None:
    """Write the statement; `adjustments` are the cells of their totals, by column."""
    _add_cover(book, sheet, month_end)
    row = _HEAD + 1
    subtotals = []
    for block in month_end.blocks:
        row = _add_block(book, sheet, row, block)
        subtotals.append(row - 1)
    row = _add_sums(book, sheet, row, month_end, subtotals, adjustments)
    note = f"{_NOTE} {_UNBOOKED}" if month_end.is_own_key_unbooked else _NOTE
    sheet.write_string(row + 1, 0, note, book.format(italic=True))
    sheet.freeze_panes(_HEAD + 1, 0)
    sheet.repeat_rows(_HEAD)
    sheet.print_area(0, 0, row + 1, len(_COLUMNS) - 1)
    sheet.fit_to_pages(1, 1 if row <= _ONE_PAGE else 0)


def _add_cover(book: Book, sheet: Any, month_end: MonthEnd) -> None:
    sheet.set_row(0, 24)
    sheet.write_string(
        0, 0, f"Statement of cost, {month_end.words}", book.format(bold=True, font_size=16)
    )
    if reasons := month_end.facts.get(WHY_EARLY):
        _add_reasons(book, sheet, escaped(reasons))
    facts = [fact for fact in month_end.facts.items() if fact[0] != WHY_EARLY]
    half = (len(facts) + 1) // 2
    for number, (label, text) in enumerate(facts):
        row, place = 1 + number % half, _PLACES["billed_usd"] * (number // half)
        sheet.write_string(row, place, label, book.format(bold=True))
        sheet.write_string(row, place + 1, escaped(text))
    head = book.format(bold=True, text_wrap=True, bottom=1, valign="bottom")
    right = book.format(bold=True, text_wrap=True, bottom=1, valign="bottom", align="right")
    for name, width in _COLUMNS.items():
        label = "Workspace" if name == "workspace_name" else LINES.label(name)
        sheet.write_string(_HEAD, _PLACES[name], label, head if name in _TEXTS else right)
        sheet.set_column(_PLACES[name], _PLACES[name], width)


def _add_reasons(book: Book, sheet: Any, reasons: str) -> None:
    """Write why the month was closed early above the headings, as wide as the page."""
    row = _HEAD - 1
    width = sum(_COLUMNS.values()) - _COLUMNS["workspace_name"]
    wrapped = book.format(text_wrap=True, valign="top")
    sheet.write_string(row, 0, WHY_EARLY, book.format(bold=True, valign="top"))
    sheet.merge_range(row, 1, row, len(_COLUMNS) - 1, "", wrapped)
    sheet.write_string(row, 1, reasons, wrapped)
    sheet.set_row(row, min(_LINE_HEIGHT * (len(reasons) // width + 1), _HIGHEST))


def _add_block(book: Book, sheet: Any, row: int, block: Block) -> int:
    """Write the lines of a workspace and their subtotal; return the row below."""
    first = row
    for line in block.lines:
        for name in (*_TEXTS, *_SUMS):
            book.write(sheet, row, _PLACES[name], line[name], name)
        _add_rate(book, sheet, row, line)
        row += 1
    _add_label(book, sheet, row, f"Total {block.name}", top=1, bg_color="#F2F4F7")
    for name in _SUMS:
        formula = f"=SUM({xl_range(first, _PLACES[name], row - 1, _PLACES[name])})"
        book.write_sum(
            sheet, row, _PLACES[name], formula, block.subtotal[name], name, top=1,
            bg_color="#F2F4F7",
        )  # fmt: skip
    _add_rate(book, sheet, row, block.subtotal, bold=True, top=1, bg_color="#F2F4F7")
    return row + 1


def _add_sums(
    book: Book,
    sheet: Any,
    row: int,
    month_end: MonthEnd,
    subtotals: list[int],
    adjustments: Mapping[str, str],
) -> int:
    """Write the total of the month, its adjustments, and both together; return the row below."""
    _add_label(book, sheet, row, f"Total {month_end.words}", top=2)
    _add_label(book, sheet, row + 1, "Adjustments of earlier months")
    _add_label(book, sheet, row + 2, "Total to book", top=1, bottom=6)
    for name in _SUMS:
        place = _PLACES[name]
        cells = [xl_rowcol_to_cell(each, place) for each in subtotals]
        parts = [f"SUM({','.join(cells[at : at + 200])})" for at in range(0, len(cells), 200)]
        formula = "=" + ("+".join(parts) or "0")
        book.write_sum(sheet, row, place, formula, month_end.total[name], name, top=2)
        if name not in month_end.adjustments:
            continue
        difference = f"difference_{name}"
        formula = f"={adjustments.get(difference, '0')}"
        book.write_sum(sheet, row + 1, place, formula, month_end.adjustments[name], name)
        formula = f"=SUM({xl_range(row, place, row + 1, place)})"
        book.write_sum(
            sheet, row + 2, place, formula, month_end.to_book[name], name, top=1, bottom=6
        )
    _add_rate(book, sheet, row, month_end.total, bold=True, top=2)
    return row + 3


def _add_label(book: Book, sheet: Any, row: int, text: str, **properties: Any) -> None:
    """Write what a row of sums is of, as wide as the texts of a line."""
    for place in range(len(_TEXTS)):
        sheet.write_blank(row, place, None, book.format(**properties))
    sheet.write_string(row, 0, escaped(text), book.format(bold=True, **properties))


def _add_rate(book: Book, sheet: Any, row: int, line: Row, **properties: Any) -> None:
    """Write the failure rate of a row, calculated from its counts."""
    failed, succeeded = (
        xl_rowcol_to_cell(row, _PLACES[name]) for name in ("failed_count", "succeeded_count")
    )
    finished = line["finished_count"]
    sheet.write_formula(
        row,
        _PLACES["failure_rate"],
        f'=IF({failed}+{succeeded}=0,"",{failed}/({failed}+{succeeded}))',
        book.format("0.0%", **properties),
        line["failed_count"] / finished if finished else "",
    )
