"""TOML files of `finance/`: a table or key that is wrong spoils only itself, and is a problem."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, ValidationError

from analytics.errors import UsageError
from analytics.files import read_text
from analytics.finance.fields import LARGEST_FILE, read_day, read_name
from analytics.toml import Document, Table, no_setting

T = TypeVar("T", bound=Table)


def _name(text: str) -> str:
    if (name := read_name(text)) is None:
        raise ValueError("is empty")
    return name


def _day(value: object) -> object:
    try:
        return read_day(value) if isinstance(value, str) else value
    except ValueError:
        return value  # which is no date


Name = Annotated[str, AfterValidator(_name)]
"""A text that is not empty, and can be shown and compared."""

Day = Annotated[date, BeforeValidator(_day)]
"""A date, or a text like one."""


def read_document(project: Path, file: str) -> Document:
    """Read a file of a project folder, which is empty where it is not there. Numbers are exact.

    UsageError if it is no such file, or no TOML.
    """
    path, text = project / file, ""
    if os.path.lexists(path):
        try:
            text = read_text(path, project, LARGEST_FILE).replace("\r\n", "\n")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"{file}: {reason}") from None
    return Document(file, text, Decimal)


def read_rows(
    project: Path,
    file: str,
    name: str,
    kind: type[T],
    require: Callable[[T, Mapping[int, T]], None],
    *,
    most: int,
    without_file: str,
    without_row: str,
) -> tuple[dict[int, T], list[str]]:
    """Return the tables `[[name]]` of a file that has no others, by number, and its problems.

    `require` raises ValueError for one that does not go with those above it. There are none if the
    file cannot be read, or has more than `most`.
    """
    try:
        document = read_document(project, file)
    except UsageError as error:
        return {}, [f"{error}; {without_file}"]
    place, given = document.place((name,)), document.tables.get(name, [])
    problems = [
        f"{document.place((each,))}: {no_setting((each,), [(name,)])}"
        for each in document.tables
        if each != name
    ]
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        return {}, [*problems, f"{place}: `{name}` must be tables [[{name}]]; {without_file}"]
    if len(given) > most:
        return {}, [*problems, f"{place}: there are more than {most:,} {name}; {without_file}"]
    rows: dict[int, T] = {}
    for number, keys in enumerate(given, start=1):
        at = (name, number - 1)
        try:
            row = kind.model_validate(keys)
            require(row, rows)
        except ValidationError as error:
            wrong = document.problems(error, kind, at)
            problems += [f"{each}; {without_row}" for each in wrong]
        except ValueError as error:
            problems.append(f"{document.place(at)}: {error}; {without_row}")
        else:
            rows[number] = row
    return rows, problems
