"""TOML files of `finance/`: read whole, or refused with the line that is wrong."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from analytics.files import read_text
from analytics.finance.fields import LARGEST_FILE, read_day, read_name, shown

if TYPE_CHECKING:
    from pathlib import Path

_MOST_PARTS = 10  # of a dotted key: the parser takes the square of their number
_AT = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


class RefusedFileError(Exception):
    """A file that cannot be used at all: its place, and the reason."""


def read_toml(project: Path, file: str) -> tuple[dict[str, Any], str]:
    """Return the tables of a file of a project folder, and its text; both are empty without one.

    Numbers are exact. RefusedFileError if it is no such file, or no TOML.
    """
    path = project / file
    if not os.path.lexists(path):
        return {}, ""
    try:
        text = read_text(path, project, LARGEST_FILE).replace("\r\n", "\n")
        _require_short_keys(file, text)
        return tomllib.loads(text, parse_float=Decimal), text
    except OSError as error:
        raise RefusedFileError(f"{file}: {error.strerror}") from None
    except RecursionError:
        raise RefusedFileError(f"{file}: its tables are nested too deep") from None
    except ArithmeticError:
        raise RefusedFileError(f"{file}: it holds a number that is too large") from None
    except ValueError as error:
        reason = str(error)
        if (at := _AT.search(reason)) is None:
            raise RefusedFileError(f"{file}: {reason}") from None
        line = at["line"] or text.count("\n") + 1
        raise RefusedFileError(f"{file}:{line}: {reason[: at.start()]}") from None


def rows_of(
    file: str, tables: Mapping[str, Any], name: str, *, most: int, otherwise: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the tables `[[name]]` of a file that has no others, and its problems.

    There are none if they are no tables, or more than `most`; `otherwise` says what follows.
    """
    problems = [f"{file}: {unknown(each, [name])}" for each in tables if each != name]
    given = tables.get(name, [])
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        return [], [*problems, f"{file}: {name} are no tables: write [[{name}]]; {otherwise}"]
    if len(given) > most:
        return [], [*problems, f"{file}: there are more than {most:,} {name}; {otherwise}"]
    return given, problems


def _require_short_keys(file: str, text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        key, equals, _ = line.partition("=")
        if (equals or key.lstrip().startswith("[")) and key.count(".") >= _MOST_PARTS:
            raise RefusedFileError(f"{file}:{number}: a key has more than {_MOST_PARTS} parts")


def name_of(name: str, value: object) -> str:
    """Return a value as a text that is not empty; ValueError says what is wrong with it."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text: put it in quotes")  # noqa: TRY004
    if (text := read_name(name, value)) is None:
        raise ValueError(f"{name} is empty")
    return text


def day_of(name: str, value: object) -> date:
    """Return a value as a day, given as a date or a text; ValueError if it is none."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return read_day(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError(f"{name} `{shown(str(value))}` is {error}") from None


def unknown(name: str, known: Iterable[str]) -> str:
    """Return a message for a key or word that there is not, with the one like it or all."""
    known = list(known)
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"`{shown(name)}` is not known; {hint}"
