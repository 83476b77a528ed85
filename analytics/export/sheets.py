"""Sheets of a workbook: cells by the type of their value, sums as formulas, pages of A4."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

from analytics.format import days, names, numbers
from analytics.query.values import as_text
from analytics.terminal import escaped

if TYPE_CHECKING:
    import polars as pl
    from xlsxwriter import Workbook

    from analytics.export.month import Table

A4 = 9
_NARROWEST, _WIDEST, _WIDEST_TEXT = 8, 50, 64
_LONG = 100  # a text that takes more than two lines of a wide column
_HEAD_HEIGHT = 32
_LONGEST_TEXT = 32_767  # of a cell
_NOT_PRINTED = {"workspace_id", "agent_id", "agent_slug", "line_type", "revision"}


class Sheet:
    """A sheet that prints on A4 in landscape, as wide as the page, with a text below each page."""

    def __init__(self, book: Workbook, name: str, footer: str) -> None:
        self.page: Any = book.add_worksheet(name)
        self.format = cache(lambda **properties: book.add_format(properties))
        self._widths: dict[int, int] = {}
        self.page.set_paper(A4)
        self.page.set_landscape()
        self.page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        self.page.fit_to_pages(1, 0)
        self.page.set_footer(f"&L{footer.replace('&', '&&')}&C&A&RPage &P of &N")
        self.page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})

    def write(self, row: int, place: int, value: Any, name: str = "", **properties: Any) -> None:
        """Write a value of a column of this name; an unknown one is an empty cell."""
        chosen = self.format(**_number_format(name, value), **properties)
        match value:
            case None:
                self.page.write_blank(row, place, None, chosen)
            case Decimal() | int() | float() if not isinstance(value, bool):
                self.page.write_number(row, place, value, chosen)
            case date() if not isinstance(value, datetime):
                self.page.write_datetime(row, place, value, chosen)
            case _:
                text = names.shortened(escaped(_text(value)), _LONGEST_TEXT)
                self.page.write_string(row, place, text, chosen)

    def write_sum(
        self, row: int, place: int, formula: str, value: Any, name: str, **properties: Any
    ) -> None:
        """Write a formula with the value that it has, of a column of this name.

        Nothing is written where the value is unknown: a spreadsheet adds up empty cells to 0.
        """
        if value is None:
            self.write(row, place, None, name, **properties)
        else:
            chosen = self.format(**_number_format(name, value), bold=True, **properties)
            self.page.write_formula(row, place, formula, chosen, float(value))

    def write_table(self, top: int, table: Table, frame: pl.DataFrame) -> dict[str, str]:
        """Write a table, its headings in row `top`; return the cell of each total below it."""
        if frame.is_empty():
            self.write(top, 0, table.empty)
            return {}
        below, totals, is_number = top + frame.height + 1, {}, False
        if table.sums:
            self.write(below, 0, "Total", bold=True, top=1)
        for place, name in enumerate(frame.columns):
            values = frame[name].to_list()
            is_beside_number, is_number = is_number, any(map(_is_number, values))
            properties: dict[str, Any] = {"align": "right"}
            if not is_number:
                properties = {"align": "left", "indent": int(is_beside_number)}
            head = table.label(name)
            self.write(top, place, head, bold=True, bottom=1, text_wrap=True, **properties,
                       valign="bottom")  # fmt: skip
            shown = [head[: len(head) // 2 + 4], *values]  # a heading has two lines
            if name in table.sums:
                total = numbers.known_sum(values)
                shown.append(total)
                formula = f"=SUM({xl_range(top + 1, place, below - 1, place)})"
                self.write_sum(below, place, formula, total, name, top=1)
                totals[name] = f"'{self.page.get_name()}'!{xl_rowcol_to_cell(below, place)}"
            if self._fit(place, max(map(_length, shown)) + 3):
                properties["text_wrap"] = True
            for row, value in enumerate(values, top + 1):
                self.write(row, place, value, name, valign="top", **properties)
        self.page.set_row(top, _HEAD_HEIGHT)
        if top == 0:
            self._repeat_head(frame)
        return totals

    def _repeat_head(self, frame: pl.DataFrame) -> None:
        """Keep the headings of the sheet's only table in sight, and on each printed page."""
        self.page.freeze_panes(1, 0)
        self.page.repeat_rows(0)
        self.page.autofilter(0, 0, frame.height, frame.width - 1)
        printed = [place for place, name in enumerate(frame.columns) if name not in _NOT_PRINTED]
        self.page.print_area(0, 0, frame.height + 1, printed[-1])

    def _fit(self, place: int, longest: int) -> bool:
        """Make a column as wide as its values, within limits; return True if one is longer.

        A column that another table of the sheet has made wider stays so.
        """
        widest = _WIDEST_TEXT if longest > _LONG else _WIDEST
        width = max(min(longest, widest), self._widths.get(place, _NARROWEST))
        self._widths[place] = width
        self.page.set_column(place, place, width)
        return longest > widest


def _number_format(name: str, value: Any) -> dict[str, str]:
    """Return the format of a value of a column of this name, where it has one."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return {"num_format": "yyyy-mm-dd"}
    if not _is_number(value):
        return {}
    if name.endswith("_usd"):
        return {"num_format": "$#,##0.00"}
    return {"num_format": "0.0%" if name.endswith("_rate") else "#,##0"}


def _is_number(value: object) -> bool:
    return isinstance(value, Decimal | int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return days.instant_in_words(value)
        case _:
            return as_text(value)


def _length(value: Any) -> int:
    """Return how many characters show a value; those of a share are as many as of its heading."""
    match value:
        case Decimal():
            return len(f"${value:,.2f}")
        case bool() | float():
            return 0
        case int():
            return len(f"{value:,}")
        case _:
            return len(_text(value))
