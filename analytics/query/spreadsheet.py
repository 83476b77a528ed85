"""An answer as a workbook of one sheet: money and counts as numbers, all else as text."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from analytics.errors import UsageError
from analytics.format.names import shortened
from analytics.terminal import escaped_text

MOST_ROWS = 1_048_575
"""Rows of a sheet below its headings."""

TOO_LARGE = (
    f"it has more than the {MOST_ROWS:,} rows, 16,384 columns or 2 GB of a sheet: ask for fewer,"
    " group them, or take --format csv or parquet"
)
_MOST_COLUMNS = 16_384
_DIGITS = 15  # that a spreadsheet keeps of a number
_LONGEST_TEXT = 32_767  # of a cell
_FIRST_YEAR = 1901  # of a date: a spreadsheet takes 1900 for a leap year
_FLOATS = ("FLOAT", "DOUBLE")
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_DECIMAL = re.compile(r"DECIMAL\(\d+,(\d+)\)")


class _Content(BytesIO):
    """A workbook as it is made, which stays open: after an error, its ZIP file still writes to it.

    It does so whenever it is dropped; to a file, that would fail again, and be shown.
    """

    def close(self) -> None:
        """Do nothing."""


def workbook_of(answer: Path, columns: Sequence[tuple[str, str]]) -> BytesIO:
    """Return the workbook of an answer in a CSV file, beside which rows lie on their way.

    Text is never a formula or a link. A whole number of more digits than a spreadsheet keeps, as an
    identifier may have, is text; a fraction loses those, which is told on standard error.
    UsageError for more columns or bytes than a sheet has, OSError where the disk is full.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError, FileSizeError

    if len(columns) > _MOST_COLUMNS:
        raise UsageError(f"The query has no answer: {TOO_LARGE}")
    options = {"constant_memory": True, "tmpdir": str(answer.parent)}
    as_text_only = {"strings_to_formulas": False, "strings_to_urls": False}
    content = _Content()
    book = Workbook(content, options | as_text_only)
    sheet = book.add_worksheet("Answer")
    longest = csv.field_size_limit(sys.maxsize)  # a long text is shortened, and no error
    try:
        lost = _fill(book, sheet, answer, columns)
        book.close()
    except FileSizeError:
        raise UsageError(f"The query has no answer: {TOO_LARGE}") from None
    except FileCreateError as error:
        raise error.args[0] from None
    finally:
        csv.field_size_limit(longest)  # it is one for all readers of the process
        sheet.row_data_fh.close()  # a book that cannot be closed leaves it open
    if lost:
        print(
            f"{lost:,} numbers have more than the {_DIGITS} digits that a spreadsheet keeps;"
            " --format csv or parquet gives all of them.",
            file=sys.stderr,
        )
    content.seek(0)
    return content


def _fill(book: Any, sheet: Any, answer: Path, columns: Sequence[tuple[str, str]]) -> int:
    """Write headings and rows of an answer; return how many numbers lose digits."""
    lost = 0
    sheet.freeze_panes(1, 0)
    head, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    money = book.add_format({"num_format": "$#,##0.00"})
    for place, (name, _) in enumerate(columns):
        sheet.set_column(place, place, min(max(len(name) + 2, 12), 40))
        sheet.write_string(0, place, shortened(escaped_text(name), _LONGEST_TEXT), head)
    with answer.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for number, row in enumerate(rows, 1):
            cells = zip(row or [""], columns, strict=True)  # a line of one unknown value is empty
            for place, (text, (name, kind)) in enumerate(cells):
                value = _value(text, kind)
                if isinstance(value, date):
                    sheet.write_datetime(number, place, value, day)
                elif isinstance(value, bool):
                    sheet.write_boolean(number, place, value)
                elif isinstance(value, str):
                    kept = shortened(escaped_text(value), _LONGEST_TEXT)
                    sheet.write_string(number, place, kept)
                elif value is not None:
                    lost += not _is_kept(value)
                    form = money if name.endswith("_usd") else None
                    sheet.write_number(number, place, value, form)
    return lost


def _value(text: str, kind: str) -> Any:
    """Return the value of a cell by the type of its column; None where it is unknown."""
    if not text:
        return None
    decimal = _DECIMAL.fullmatch(kind)
    if kind.removeprefix("U") in _WHOLE or (decimal and decimal[1] == "0"):
        return int(text) if len(text.lstrip("-")) <= _DIGITS else text
    if decimal:
        return Decimal(text)
    if kind in _FLOATS:
        return text if text.lstrip("-") in {"nan", "inf"} else float(text)
    if kind == "BOOLEAN":
        return text == "true"
    if kind == "DATE" and len(text) == len("2026-11-20") and int(text[:4]) >= _FIRST_YEAR:
        return date.fromisoformat(text)
    return text


def _is_kept(value: Decimal | float) -> bool:
    """Return True if a spreadsheet keeps every digit of a number; those of floats are their own."""
    return not isinstance(value, Decimal) or Decimal(f"{value:.{_DIGITS}g}") == value
