"""A statement as CSV or Parquet, without formulas from foreign text."""

from __future__ import annotations

import csv
import re
import sys
from contextlib import ExitStack
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import polars as pl

from analytics.errors import UsageError
from analytics.published.export.definitions import Definition
from analytics.published.output import replacing, replacing_text
from analytics.published.values import as_text
from analytics.terminal import escaped
from analytics.transform.frames import as_parquet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.published.export.month import Statement


class Format(StrEnum):
    """File formats."""

    csv = "csv"
    xlsx = "xlsx"
    parquet = "parquet"


# The beginning of a formula (also in full width), at the start of a text or after a semicolon,
# which separates columns in some languages, where quotes around it are taken off.
_FORMULA = re.compile(r"(^|;)([\s\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
# Excel needs a byte-order mark to detect UTF-8; a program may read it as part of a column name.
FOR_PEOPLE, _FOR_PROGRAMS = "utf-8-sig", "utf-8"


def write_statement(statement: Statement, form: Format, output: Path) -> list[Path]:
    """Write the files of a statement, and return them.

    CSV and Parquet have a second file of definitions.
    """
    beside = output.with_name(f"{output.stem}-definitions.csv")
    with ExitStack() as files:
        if form is Format.parquet:
            files.enter_context(replacing(output)).write(as_parquet(statement.lines))
        else:
            encoding = FOR_PEOPLE if statement.is_for_people else _FOR_PROGRAMS
            write_frame(files.enter_context(replacing_text(output, encoding)), statement.lines)
        definitions = files.enter_context(replacing_text(beside, FOR_PEOPLE))
        write_rows(definitions, Definition._fields, statement.definitions)
    return [output, beside]


def print_statement(statement: Statement, form: Format) -> None:
    """Write the lines to standard output; UsageError for a binary format."""
    if form is not Format.csv:
        raise UsageError(f"{form.value} is not for a terminal: name a file with --output.")
    write_frame(sys.stdout, statement.lines)


@lru_cache(maxsize=65_536)  # most cells of a table say what another one has said
def without_formula(text: str) -> str:
    """Return text that no spreadsheet runs as a formula; control characters are escaped."""
    return _FORMULA.sub(r"\1\2'", escaped(text))


def write_frame(file: TextIO, frame: pl.DataFrame) -> None:
    """Write a table as `write_rows` does; numbers become text by the column, which is quicker."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(frame.columns)
    writer.writerows(zip(*map(_texts, frame), strict=True))


def _texts(column: pl.Series) -> list[str | None]:
    if column.dtype.is_decimal() or column.dtype.is_integer():
        return column.cast(pl.String).to_list()
    values = column.to_list()
    if column.dtype.is_nested():
        return [*map(_text, values)]
    known = {value: _text(value) for value in set(values)}
    return [known[value] for value in values]


def write_rows(file: TextIO, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a header and rows as CSV, with every digit and without formulas."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_text(value) for value in row] for row in rows)


def _text(value: Any) -> str:
    return without_formula(value) if isinstance(value, str) else as_text(value)
