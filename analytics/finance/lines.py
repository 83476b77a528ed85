"""CSV files of `finance/` that are read line by line: a wrong line spoils only itself.

The first line names the columns, in any order; a line is one record, without line breaks in quotes.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from analytics.files import read_text
from analytics.finance.fields import (
    LARGEST_FILE,
    read_amount,
    read_day,
    read_month,
    read_name,
    shown,
)

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    import duckdb

_T = TypeVar("_T")
_YEARS = range(2000, 2100)
_LARGEST_AMOUNT = 10**12  # sums of some millions of them, and products with a share, stay exact


@dataclass(frozen=True)
class Form:
    """The form of a file: its columns, those that it must have, and the loss without them.

    Of each group in `required`, one column must be there; messages ask for the first.
    """

    file: str
    columns: tuple[str, ...]
    required: tuple[tuple[str, ...], ...]
    otherwise: str


@dataclass(frozen=True)
class Line:
    """A line of a file: its number, and its fields by their columns; a missing column is empty.

    Its methods raise ValueError, with a reason, for a field that is not right.
    """

    number: int
    fields: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """Return a text, None if it is empty."""
        try:
            return read_name(self.fields.get(name, ""))
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None

    def required(self, name: str, remedy: str = "") -> str:
        """Return a text that must be there; `remedy` ends the message if it is not."""
        if (text := self.text(name)) is None:
            raise ValueError(f"{name} is empty{remedy}")
        return text

    def day(self, name: str) -> date | None:
        """Return a day, None if it is empty."""
        return self._value(name, read_day)

    def month(self, name: str) -> date:
        """Return the first day of a month that must be there, in this century."""
        if (month := self._value(name, read_month)) is None:
            raise ValueError(f"{name} is empty; write it like 2026-11")
        return _of_this_century(name, month)

    def required_day(self, name: str) -> date:
        """Return a day that must be there, in this century."""
        if (day := self.day(name)) is None:
            raise ValueError(f"{name} is empty; write it like 2026-11-30")
        return _of_this_century(name, day)

    def amount(self, name: str, *, may_be_negative: bool = False) -> Decimal | None:
        """Return an amount of zero or more US dollars, None if it is empty."""
        amount = self._value(name, read_amount)
        least = -_LARGEST_AMOUNT if may_be_negative else 0
        if amount is not None and not least <= amount <= _LARGEST_AMOUNT:
            wrong = "negative" if amount < 0 else "more than a trillion US dollars"
            raise ValueError(f"{name} `{shown(self.fields[name].strip())}` is {wrong}")
        return amount

    def _value(self, name: str, read: Callable[[str], _T]) -> _T | None:
        value = self.fields.get(name, "").strip()
        try:
            return read(value) if value else None
        except ValueError as error:
            raise ValueError(f"{name} `{shown(value)}` is {error}") from None


@dataclass(frozen=True)
class Lines(Generic[_T]):
    """The records of a file, and its problems: each with file, line and reason."""

    records: list[_T] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_lines(project: Path, form: Form, read: Callable[[Line], _T]) -> Lines[_T]:
    """Read a file of a project folder; there are no records without one.

    `read` makes a record of a line, or raises ValueError. A line that is wrong is no record, and a
    problem; nothing raises.
    """
    path = project / form.file
    if not os.path.lexists(path):
        return Lines()
    try:
        text = read_text(path, project, LARGEST_FILE)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return Lines(problems=[f"{form.file}: {reason}; {form.otherwise}"])
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    try:
        header = _header(lines[0], form)
    except ValueError as error:
        return Lines(problems=[f"{form.file}:1: {error}; {form.otherwise}"])
    problems = [
        f"{form.file}:1: the column `{shown(name)}` is not used; there are"
        f" {', '.join(form.columns)}"
        for name in header
        if name not in form.columns
    ]
    records: list[_T] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip(" ,"):
            continue
        try:
            fields = dict(zip(header, _fields(line, len(header)), strict=True))
            records.append(read(Line(number, fields)))
        except ValueError as error:
            problems.append(f"{form.file}:{number}: {error}; the line is not used")
    return Lines(records, problems)


def replace_rows(
    con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Sequence[object]]
) -> None:
    """Replace the rows of a table in schema finance of the warehouse."""
    con.execute(f"delete from finance.{table}")
    con.execute(
        f"insert into finance.{table} ({', '.join(columns)})"
        f" select {', '.join('unnest(?::varchar[])' for _ in columns)}",
        [*columns.values()],
    )


def _of_this_century(name: str, day: date) -> date:
    if day.year not in _YEARS:  # a year that is misspelt would end date arithmetic and spreadsheets
        raise ValueError(f"{name} {day} is not of the years {_YEARS[0]} to {_YEARS[-1]}")
    return day


def _header(line: str, form: Form) -> list[str]:
    header = [name.strip().lower() for name in _fields(line)]
    for group in form.required:
        if not {*group} & {*header}:
            raise ValueError(
                f"there is no column {group[0]}; the first line must be {','.join(form.columns)}"
            )
    if twice := [name for name in header if header.count(name) > 1]:
        raise ValueError(f"two columns are named `{shown(twice[0])}`")
    return header


def _fields(line: str, count: int | None = None) -> list[str]:
    try:
        (found,) = csv.reader([line], strict=True)
    except csv.Error as error:
        raise ValueError(f"a quote is not closed, or stands within a text ({error})") from None
    if count is not None and len(found) != count:
        raise ValueError(f"{len(found)} fields, where the header has {count}")
    return found
