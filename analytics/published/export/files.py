"""A statement as CSV or Parquet, without formulas from foreign text."""

from __future__ import annotations

import csv
import re
import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from analytics.errors import UsageError
from analytics.published.export.definitions import Definition
from analytics.published.output import as_text, replacing
from analytics.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.published.export.month import Statement


class Format(StrEnum):
    """File formats."""

    csv = "csv"
    xlsx = "xlsx"
    parquet = "parquet"


# The beginning of a formula (also in full width), at the start of a text or after a semicolon,
# which separates columns in some languages.
_FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
# Excel needs a byte-order mark to detect UTF-8; a program may read it as part of a column name.
FOR_PEOPLE, _FOR_PROGRAMS = "utf-8-sig", "utf-8"


def write_statement(statement: Statement, form: Format, output: Path) -> list[Path]:
    """Write the files of a statement, and return them.

    CSV and Parquet have a second file of definitions.
    """
    beside = output.with_name(f"{output.stem}-definitions.csv")
    with ExitStack() as files:
        target = files.enter_context(replacing(output))
        if form is Format.parquet:
            statement.lines.write_parquet(target)
        else:
            encoding = FOR_PEOPLE if statement.is_for_people else _FOR_PROGRAMS
            with target.open("w", encoding=encoding, newline="") as file:
                write_csv(statement, file)
        with files.enter_context(replacing(beside)).open(
            "w", encoding=FOR_PEOPLE, newline=""
        ) as file:
            write_rows(file, Definition._fields, statement.definitions)
    return [output, beside]


def print_statement(statement: Statement, form: Format) -> None:
    """Write the lines to standard output; UsageError for a binary format."""
    if form is not Format.csv:
        raise UsageError(f"{form.value} is not for a terminal: name a file with --output.")
    write_csv(statement, sys.stdout)


def write_csv(statement: Statement, file: TextIO) -> None:
    """Write the lines as CSV, with every digit."""
    write_rows(file, statement.lines.columns, statement.lines.iter_rows())


def inert(text: str) -> str:
    """Return text that no spreadsheet runs as a formula; control characters are escaped."""
    return _FORMULA.sub(r"\1\2'", visible(text))


def write_rows(file: TextIO, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a header and rows as CSV, with every digit and without formulas."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(
        [inert(value) if isinstance(value, str) else as_text(value) for value in row]
        for row in rows
    )
