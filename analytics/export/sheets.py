"""Sheets of a workbook: cells by the type of their value, sums as formulas, pages of A4."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

from analytics.format import days, names, numbers
from analytics.query.values import as_text
from analytics.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

A4 = 9
USD, COUNT, SHARE, DAY = "$#,##0.00", "#,##0", "0.0%", "yyyy-mm-dd"
_NARROWEST, _WIDEST, _WIDEST_TEXT = 8, 50, 64
_LONG = 100  # a text that takes more than two lines of a wide column
_HEAD: Mapping[str, Any] = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
_HEAD_HEIGHT = 32
_LONGEST_TEXT = 32_767  # of a cell
_NOT_PRINTED = {"workspace_id", "agent_id", "agent_slug", "line_type", "revision"}


@contextmanager
def new_book(target: Path, created: datetime | None, footer: str) -> Iterator[Book]:
    """Yield a workbook, and write it to its file; the same figures make the same file.

    OSError if the file cannot be written.
    """
    content = BytesIO()  # as the library leaves a file open that it failed to write
    as_text_only = {"strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(content, {"in_memory": True, **as_text_only}) as book:
        book.set_properties({"created": created})
        yield Book(book, footer)
    target.write_bytes(content.getvalue())


class Book:
    """A workbook; `footer` is printed below each of its pages."""

    def __init__(self, book: Workbook, footer: str) -> None:
        self._book, self._footer = book, footer.replace("&", "&&")
        self.format = cache(self._format)
        self._widths: dict[tuple[str, int], int] = {}

    def sheet(self, name: str) -> Any:
        """Add a sheet that prints on A4 in landscape, as wide as the page."""
        sheet = self._book.add_worksheet(name)
        sheet.set_paper(A4)
        sheet.set_landscape()
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(f"&L{self._footer}&C&A&RPage &P of &N")
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        return sheet

    def _format(self, number: str = "", **properties: Any) -> Any:
        return self._book.add_format({"num_format": number or "General", **properties})

    def fill(
        self,
        sheet: Any,
        heads: Sequence[str],
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        sums: Sequence[str],
    ) -> dict[str, str]:
        """Write a table from the first row on; return the cell of each total, below its column."""
        cells = self.write_table(sheet, 0, heads, columns, rows, sums)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, len(rows), len(heads) - 1)
        printed = [place for place, name in enumerate(columns) if name not in _NOT_PRINTED]
        sheet.print_area(0, 0, len(rows) + 1, printed[-1])
        return cells

    def write_table(
        self,
        sheet: Any,
        top: int,
        heads: Sequence[str],
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        sums: Sequence[str],
    ) -> dict[str, str]:
        """Write a table, its headings in row `top`; return the cell of each total."""
        numeric = [any(_is_number(row[place]) for row in rows) for place in range(len(columns))]
        properties: list[dict[str, Any]] = []
        for place, text in enumerate(heads):
            aligned: dict[str, Any] = {"align": "right"}
            if not numeric[place]:
                is_beside_number = place > 0 and numeric[place - 1]
                aligned = {"align": "left", "indent": int(is_beside_number)}
            sheet.write_string(top, place, text, self.format(**_HEAD, **aligned))
            values = [row[place] for row in rows]
            if columns[place] in sums:
                values.append(numbers.known_sum(values))
            half = text[: len(text) // 2 + 4]  # a heading has two lines
            wrapped = {"text_wrap": True} if self._fit(sheet, place, [half, *values]) else {}
            properties.append({"valign": "top", **aligned, **wrapped})
        sheet.set_row(top, _HEAD_HEIGHT)
        for number, row in enumerate(rows, top + 1):
            for place, value in enumerate(row):
                self.write(sheet, number, place, value, columns[place], **properties[place])
        return self._totals(sheet, top, columns, rows, sums)

    def _totals(
        self,
        sheet: Any,
        top: int,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        sums: Sequence[str],
    ) -> dict[str, str]:
        below = top + len(rows) + 1
        cells = {}
        if sums:
            sheet.write_string(below, 0, "Total", self.format(bold=True, top=1))
        for place, name in enumerate(columns):
            if name in sums:
                total = numbers.known_sum([row[place] for row in rows])
                formula = f"=SUM({xl_range(top + 1, place, below - 1, place)})"
                self.write_sum(sheet, below, place, formula, total, name, top=1)
                cells[name] = f"'{sheet.get_name()}'!{xl_rowcol_to_cell(below, place)}"
        return cells

    def write_sum(
        self,
        sheet: Any,
        row: int,
        place: int,
        formula: str,
        value: Decimal | int | None,
        name: str,
        **properties: Any,
    ) -> None:
        """Write a formula with the value that it has, of a column of this name.

        Nothing is written where the value is unknown: a spreadsheet adds up empty cells to 0.
        """
        if value is None:
            self.write(sheet, row, place, None, name, **properties)
            return
        chosen = self.format(number_format(name), bold=True, **properties)
        sheet.write_formula(row, place, formula, chosen, float(value))

    def write(
        self, sheet: Any, row: int, place: int, value: Any, name: str, **properties: Any
    ) -> None:
        """Write a value of a column of this name; an unknown one is an empty cell."""
        match value:
            case None:
                sheet.write_blank(row, place, None, self.format(**properties))
            case bool():
                sheet.write_string(row, place, "yes" if value else "no", self.format(**properties))
            case Decimal() | int() | float():
                chosen = self.format(number_format(name), **properties)
                sheet.write_number(row, place, value, chosen)
            case datetime():
                text = days.instant_in_words(value)
                sheet.write_string(row, place, text, self.format(**properties))
            case date():
                sheet.write_datetime(row, place, value, self.format(DAY, **properties))
            case _:
                text = names.shortened(escaped(as_text(value)), _LONGEST_TEXT)
                sheet.write_string(row, place, text, self.format(**properties))

    def _fit(self, sheet: Any, place: int, values: Iterable[Any]) -> bool:
        """Make a column as wide as its values, within limits; return True if one is longer.

        A column that another table of the sheet has made wider stays so.
        """
        longest = max(map(_length, values)) + 3
        widest = _WIDEST_TEXT if longest > _LONG else _WIDEST
        column = (sheet.get_name(), place)
        width = max(min(longest, widest), self._widths.get(column, _NARROWEST))
        self._widths[column] = width
        sheet.set_column(place, place, width)
        return longest > widest


def number_format(name: str) -> str:
    """Return the format of a column's numbers by its name."""
    if name.endswith("_usd"):
        return USD
    return SHARE if name.endswith("_rate") else COUNT


def _is_number(value: object) -> bool:
    return isinstance(value, Decimal | int | float) and not isinstance(value, bool)


def _length(value: Any) -> int:
    """Return how many characters show a value; those of a share are as many as of its heading."""
    match value:
        case Decimal():
            return len(f"${value:,.2f}")
        case bool() | float():
            return 0
        case int():
            return len(f"{value:,}")
        case datetime():
            return len(days.instant_in_words(value))
        case _:
            return len(as_text(value))
