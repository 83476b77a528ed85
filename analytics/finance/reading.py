"""Files of `finance/`, CSV or TOML, as records: one that is wrong spoils only itself.

Each problem has file, line and reason; nothing raises.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import ValidationError

from analytics.errors import UsageError
from analytics.files import read_text
from analytics.finance.fields import LARGEST_FILE, shown
from analytics.toml import Document, Table, no_setting

_MOST_ALIKE = 1_000  # records of one key, each of which is compared with each


class Record(Table):
    """A line of a CSV file, whose columns are its fields; or a table of a TOML file."""

    conflict: ClassVar[str] = ""
    """Why it is none if it overlaps `other`, above it at line or number `place`."""

    @property
    def key(self) -> object:
        """Records of one key are compared; those of None are not."""
        return None

    @property
    def rank(self) -> tuple[Any, ...]:
        """Records come in this order, and then as in the file."""
        return ()

    def overlaps(self, other: Any) -> bool:
        """Return True unless it may stand beside another one of its key."""
        return bool(self.key == other.key)


T = TypeVar("T", bound=Record)


class Records(Generic[T]):
    """The records of a file by their line, or by their number among its tables; and problems."""

    def __init__(self, *problems: str) -> None:
        self.rows: dict[int, T] = {}
        self.problems = [*problems]
        self._alike: defaultdict[object, list[int]] = defaultdict(list)

    def add(self, number: int, record: T) -> None:
        """Add a record; ValueError if it goes with none of those above it."""
        if (key := record.key) is not None:
            alike = self._alike[key]
            if len(alike) == _MOST_ALIKE:
                raise ValueError(f"there are {_MOST_ALIKE:,} equally specific rules above it")
            for place in alike:
                if record.overlaps(other := self.rows[place]):
                    raise ValueError(record.conflict.format(self=record, other=other, place=place))
            alike.append(number)
        self.rows[number] = record

    def in_order(self) -> Records[T]:
        """Sort the records by their rank, and return them with the problems."""
        by_rank = sorted(self.rows.items(), key=lambda each: (each[1].rank, each[0]))
        self.rows = dict(by_rank)
        return self


@dataclass(frozen=True, kw_only=True)
class CsvFile(Generic[T]):
    """A file whose first line names its columns, in any order; a line is one record.

    Of each group in `required`, one column must be there; messages ask for the first. `otherwise`
    is what follows if it cannot be read.
    """

    file: str
    kind: type[T]
    required: Sequence[tuple[str, ...]]
    otherwise: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it may have."""
        return (*self.kind.model_fields,)

    def read(self, project: Path) -> Records[T]:
        """Read the file of a project folder; there are no records without one."""
        try:
            text = _text_of(project, self.file)
        except UsageError as error:
            return Records(f"{error}; {self.otherwise}")
        if text is None:
            return Records()
        first, *lines = (line.removesuffix("\r") for line in text.split("\n"))
        try:
            header = self._header(first)
        except ValueError as error:
            return Records(f"{self.file}:1: {error}; {self.otherwise}")
        known = ", ".join(self.columns)
        found = Records[T](*(
            f"{self.file}:1: the column `{shown(name)}` is not used; there are {known}"
            for name in header
            if name not in self.columns
        ))  # fmt: skip
        for number, line in enumerate(lines, start=2):
            if not line.strip(" ,"):
                continue
            try:
                fields = dict(zip(header, _fields(line, len(header)), strict=True))
                found.add(number, self._record(fields))
            except ValueError as error:
                found.problems.append(f"{self.file}:{number}: {error}; the line is not used")
        return found.in_order()

    def _header(self, line: str) -> list[str]:
        header = [name.strip().lower() for name in _fields(line)]
        for group in self.required:
            if not {*group} & {*header}:
                columns = ",".join(self.columns)
                raise ValueError(f"there is no column {group[0]}; the first line must be {columns}")
        if twice := [name for name in header if header.count(name) > 1]:
            raise ValueError(f"two columns are named `{shown(twice[0])}`")
        return header

    def _record(self, fields: Mapping[str, str]) -> T:
        """Return a line as a record; ValueError has the first reason why it is none."""
        try:
            return self.kind.model_validate({name: fields.get(name, "") for name in self.columns})
        except ValidationError as error:
            raise ValueError(error.errors()[0]["ctx"]["error"]) from None


def _fields(line: str, count: int | None = None) -> list[str]:
    try:
        (found,) = csv.reader([line], strict=True)
    except csv.Error as error:
        raise ValueError(f"a quote is not closed, or stands within a text ({error})") from None
    if count is not None and len(found) != count:
        raise ValueError(f"{len(found)} fields, where the header has {count}")
    return found


@dataclass(frozen=True, kw_only=True)
class TomlFile(Generic[T]):
    """A file of tables `[[name]]`, at most so many, and no others.

    `otherwise` is what follows if it cannot be read, `without` if a table is not right.
    """

    file: str
    name: str
    kind: type[T]
    most: int
    otherwise: str
    without: str

    def read(self, project: Path) -> Records[T]:
        """Read the file of a project folder; there are no records without one."""
        try:
            document = read_document(project, self.file)
        except UsageError as error:
            return Records(f"{error}; {self.otherwise}")
        name = self.name
        place, given = document.place((name,)), document.tables.get(name, [])
        found = Records[T](*(
            f"{document.place((each,))}: {no_setting((each,), [(name,)])}"
            for each in document.tables
            if each != name
        ))  # fmt: skip
        refused = ""
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            refused = f"`{name}` must be tables [[{name}]]"
        elif len(given) > self.most:
            refused = f"there are more than {self.most:,} {name}"
        if refused:
            return Records(*found.problems, f"{place}: {refused}; {self.otherwise}")
        for number, keys in enumerate(given, start=1):
            at = (name, number - 1)
            try:
                found.add(number, self.kind.model_validate(keys))
            except ValidationError as error:
                problems = document.problems(error, self.kind, at)
                found.problems += [f"{each}; {self.without}" for each in problems]
            except ValueError as error:
                found.problems.append(f"{document.place(at)}: {error}; {self.without}")
        return found.in_order()


def read_document(project: Path, file: str) -> Document:
    """Read a TOML file of a project folder, which is empty where it is not there.

    Numbers are exact. UsageError if it is no such file, or no TOML.
    """
    text = _text_of(project, file) or ""
    return Document(file, text.replace("\r\n", "\n"), Decimal)


def _text_of(project: Path, file: str) -> str | None:
    """Return the text of a file, None where it is not there; UsageError if it cannot be used."""
    path = project / file
    if not os.path.lexists(path):
        return None
    try:
        return read_text(path, project, LARGEST_FILE)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{file}: {reason}") from None
