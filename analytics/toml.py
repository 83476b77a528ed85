"""TOML files that people write: read into a known form, or refused with all that is wrong.

A problem has file, line and setting, what it must be, and what it is; or which one was meant.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any, TypeAlias, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from analytics.errors import UsageError
from analytics.format import names

Loc: TypeAlias = tuple[int | str, ...]
"""The way to a setting: names of tables and of itself, and places in a list."""

_AT = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_MOST_PARTS = 10  # of a dotted key: the parser takes the square of their number
_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(
    rf"(?:^|[{{,\[])[ \t]{{0,8}}{_PART}(?:[ \t]{{0,8}}\.[ \t]{{0,8}}{_PART}){{{_MOST_PARTS},}}+",
    re.MULTILINE,
)
_LONGEST_INTEGER = 128  # bits
_MOST_PARSED = 1_000_000  # characters, to find lines: each line of a long value is parsed anew
_LONGEST_NAME, _LONGEST_VALUE = 80, 40  # as messages show them

_NAME = re.compile(r"[A-Za-z_-]{1,40}")  # of a setting, or nearly
_GIVEN = re.compile(r" \(('|\").*\)")  # the names of a wrong key, which may be secrets

_MUST = {
    "bool_type": "must be true or false",
    "date_type": "must be a day like 2026-11-30",
    "dict_type": "must be a table",
    "finite_number": "must be a number",
    "float_type": "must be a number",
    "greater_than_equal": "must be at least {ge:g}",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le:g}",
    "list_type": "must be tables [[{name}]]",
    "model_type": "must be a table",
    "string_type": "must be a text in quotes",
}


class Table(BaseModel):
    """A table of a file: nothing is converted, and there are no other settings."""

    model_config = ConfigDict(
        allow_inf_nan=False, extra="forbid", frozen=True, hide_input_in_errors=True, strict=True
    )


T = TypeVar("T", bound=Table)


def matching(pattern: str, form: str, *, is_secret: bool = False) -> AfterValidator:
    """Return the check of a text that has a form; what may be a secret is not repeated."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {form}" + ("" if is_secret else f", not {shown(text)}"))
        return text

    return AfterValidator(check)


def one_of(known: Sequence[str]) -> AfterValidator:
    """Return the check of a text that is one of several."""

    def check(text: str) -> str:
        if text not in known:
            *others, last = known
            raise ValueError(
                f"must be {', '.join(others)} or {last}, not {shown(text)}{meant(text, known)}"
            )
        return text

    return AfterValidator(check)


def meant(text: str, known: Sequence[str]) -> str:
    """Return the one of several names that was probably meant; empty if none is near."""
    return "".join(f" (did you mean `{near}`?)" for near in get_close_matches(text, known, n=1))


class Document:
    """The tables of a file; UsageError if it is no TOML."""

    def __init__(self, file: str, text: str, parse_float: Callable[[str], Any] = float) -> None:
        self.file = file
        self._text = text
        try:
            if long := _LONG_KEY.search(text):
                number = text.count("\n", 0, long.end()) + 1
                raise UsageError(f"{file}:{number}: a key has more than {_MOST_PARTS} parts")
            self.tables = tomllib.loads(text, parse_float=parse_float)
        except RecursionError:
            raise UsageError(f"{file}: its tables are nested too deep") from None
        except ArithmeticError:
            raise UsageError(f"{file}: it holds a number that is too large") from None
        except ValueError as error:
            reason, place = str(error), file
            if at := _AT.search(reason):
                reason = reason[: at.start()]
                place = f"{file}:{at['line'] or text.count(chr(10)) + 1}"
            reason = _GIVEN.sub(" a name", reason)
            raise UsageError(f"{place}: it is not valid TOML: {reason}") from None

    def read(self, kind: type[T]) -> T:
        """Return the whole file; UsageError has a line for each problem."""
        try:
            return kind.model_validate(self.tables)
        except ValidationError as error:
            raise UsageError("\n".join(f"{each}." for each in self.problems(error, kind))) from None

    def problems(self, error: ValidationError, kind: type[Table], at: Loc = ()) -> list[str]:
        """Return each problem of a table of this kind, or of the file, by its line."""
        found = []
        for each in error.errors(include_url=False):
            loc = (*at, *each["loc"])
            if each["type"] == "extra_forbidden":
                what = no_setting(loc, [*_known(kind, at)])
            elif each["type"] == "missing":
                what = f"there must be a setting {_named(loc)}"
            elif each["type"] == "value_error":  # of a setting, or of a whole table of a list
                what = str(each["ctx"]["error"])
                what = f"{_named(loc)} {what}" if isinstance(loc[-1], str) else what
            else:
                values = {"name": loc[-1], **each.get("ctx", {})}
                must = _MUST.get(each["type"], each["msg"]).format_map(values)
                is_secret = "table" in must and isinstance(each["input"], str)
                given = "a text" if is_secret else shown(each["input"])
                what = f"{_named(loc)} {must}, not {given}"
            found.append((self._line(loc), f"{self.place(loc)}: {what}"))
        return [problem for _, problem in sorted(found, key=lambda each: each[0])]

    def place(self, loc: Loc) -> str:
        """Return the file, and the line where it is known."""
        return f"{self.file}:{line}" if (line := self._line(loc)) else self.file

    def _line(self, loc: Loc) -> int:
        """Return the line of a setting; of its table, where that lacks it; 0 if none is known."""
        while loc and loc not in self._lines:
            loc = loc[:-1]
        return self._lines.get(loc, 0)

    @cached_property
    def _lines(self) -> dict[Loc, int]:
        """The line on which each table and setting begins."""
        lines: dict[Loc, int] = {}
        counts: Counter[str] = Counter()
        heading, statement, begin, parsed = "", "", 1, 0
        for number, line in enumerate(self._text.split("\n"), start=1):
            statement += f"{line}\n"
            is_heading = statement.lstrip().startswith("[")
            text = statement if is_heading else heading + statement
            parsed += len(text)
            if parsed > _MOST_PARSED:
                break
            try:
                tables = tomllib.loads(text)
            except (ValueError, RecursionError):  # its value ends on another line
                continue
            for name, value in tables.items():
                counts[name] += is_heading and isinstance(value, list)
                at: Loc = (name,)
                lines.setdefault(at, begin)
                if counts[name]:
                    value = value[0] if isinstance(value, list) else value
                    at = (name, counts[name] - 1)
                for loc in _locs(value, at):
                    lines.setdefault(loc, begin)
            heading = statement if is_heading else heading
            statement, begin = "", number + 1
        return lines


def _locs(value: Any, at: Loc) -> Iterator[Loc]:
    """Yield the ways to a value, and to all within it."""
    yield at
    if isinstance(value, dict | list):
        for step, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _locs(each, (*at, step))


def _named(loc: Loc) -> str:
    """Return a setting as it can be written: `extract.history_days`."""
    way = ".".join(each for each in loc if isinstance(each, str) and each != "[key]")
    return f"`{names.visible(names.shortened(way, _LONGEST_NAME))}`"


def no_setting(loc: Loc, known: Sequence[Loc]) -> str:
    """Return that there is no such setting, and which was meant: of its table, else of any.

    A name that is none of letters alone may be a secret, and is not repeated.
    """
    *table, unknown = (each for each in loc if isinstance(each, str))
    shown_as = _named((*table, unknown if _NAME.fullmatch(unknown) else "…"))
    here = [each for each in known if [*each[:-1]] == table]
    for some in (here, known):
        by_name = {str(each[-1]): each for each in some}
        for near in get_close_matches(unknown, by_name, n=1):
            return f"there is no setting {shown_as} (did you mean {_named(by_name[near])}?)"
    return f"there is no setting {shown_as} (there are {', '.join(map(_named, here))})"


def _known(kind: type[Table], at: Loc = ()) -> Iterator[Loc]:
    """Yield the way to each setting of a table of this kind."""
    for name, field in kind.model_fields.items():
        yield (*at, name)
        for each in (field.annotation, *get_args(field.annotation)):
            if isinstance(each, type) and issubclass(each, Table):
                yield from _known(each, (*at, name))


def shown(value: object) -> str:
    """Return a value as a message quotes it."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
        return "a number that is too large"  # it may have more digits than Python writes
    if isinstance(value, bool | str):
        value = json.dumps(value, ensure_ascii=False)
    return names.visible(names.shortened(str(value), _LONGEST_VALUE))
