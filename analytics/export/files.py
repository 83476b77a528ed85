"""Tables as CSV files, without formulas from foreign text."""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO

import polars as pl

from analytics.query.output import replacing_text
from analytics.query.values import as_text
from analytics.terminal import escaped

if TYPE_CHECKING:
    from pathlib import Path

# The beginning of a formula (also in full width), at the start of a text or after a semicolon,
# which separates columns in some languages, where quotes around it are taken off.
_FORMULA = re.compile(r"(^|;)([\s\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")


def write_csv(path: Path, frame: pl.DataFrame, *, is_for_people: bool) -> None:
    """Write a table to a file.

    Excel needs a byte-order mark to detect UTF-8; a program may read it as part of a column name.
    """
    encoding = "utf-8-sig" if is_for_people else "utf-8"
    with replacing_text(path, encoding) as file:
        write_frame(file, frame)


@lru_cache(maxsize=65_536)  # most cells of a table say what another one has said
def without_formula(text: str) -> str:
    """Return text that no spreadsheet runs as a formula; control characters are escaped."""
    return _FORMULA.sub(r"\1\2'", escaped(text))


def write_frame(file: TextIO, frame: pl.DataFrame) -> None:
    """Write a header and rows, with every digit; numbers become text by the column, as is quick."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(frame.columns)
    writer.writerows(zip(*map(_texts, frame), strict=True))


def _texts(column: pl.Series) -> list[str | None]:
    if column.dtype.is_decimal() or column.dtype.is_integer():
        return column.cast(pl.String).to_list()
    values = column.to_list()
    known = {value: _text(value) for value in set(values)}
    return [known[value] for value in values]


def _text(value: Any) -> str:
    return without_formula(value) if isinstance(value, str) else as_text(value)
