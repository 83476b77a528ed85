"""Templates: texts with figures in them. `reports/engine/format.js` fills in the same way.

`{cost_usd|usd}` is a figure of a row in a unit, `{failed_count/finished_count|rate}` one of two
figures, `{first.cost_usd|usd}` one of a row within the row. A name without a unit is a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from analytics.format import days, names, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

Row: TypeAlias = "Mapping[str, Any]"

_FIGURE = re.compile(r"\{([\w./]+)(?:\|([\w: ]+))?\}")
_AFTER_SIGN = re.compile(rf"(?<=[+{numbers.MINUS}])(?=\$)")  # where lines may break
_ONE: dict[str, Callable[[Any], str]] = {
    "usd": numbers.usd,
    "usd_fine": numbers.usd_fine,
    "usd_headline": numbers.usd_headline,
    "usd_signed": numbers.usd_signed,
    "count": numbers.count,
    "tokens": numbers.tokens,
    "seconds": lambda value: numbers.duration(float(value)),
    "milliseconds": lambda value: numbers.duration(value / 1000),
    "day": days.day_in_words,
    "day_short": days.day_on_axis,
    "month": days.month_in_words,
    "month_short": days.month_in_short,
    "month_name": lambda value: days.month_in_words(value).split()[0],
    "weekday": lambda value: days.WEEKDAYS[value.weekday()],
    "instant": days.instant_in_words,
    "moment": days.moment_in_words,
    "version": lambda value: f"v{value}" if value >= 0 else "no version",
    "number": numbers.number,
    "usd_about": numbers.usd_about,
    "words": lambda value: value.replace("_", " "),
    "text": str,
    "": str,
    "name": names.in_sentence,
}
_TWO: dict[str, Callable[[Any, Any], str]] = {
    "percent": numbers.percent,
    "rate": numbers.failure_rate,
    "rate_short": numbers.failure_rate_short,
    "interval": numbers.interval,
    "each": lambda amount, count: numbers.usd_fine(amount / count),
    "per_million": lambda amount, count: numbers.usd(amount * 1_000_000 / count),
    "change": numbers.change,
    "beside": numbers.beside,
    "usd_since": numbers.usd_since,
}


def fill(template: str, row: Row) -> str:
    """Return the template with each figure of the row in its unit; an unknown one is a dash.

    No line of the text ends between the sign and the digits of an amount.
    """
    text = _FIGURE.sub(lambda match: figure(match[1], match[2] or "", row), template)
    return _AFTER_SIGN.sub(numbers.WORD_JOINER, text)


def known(template: str, row: Row) -> str | None:
    """Return the filled template, or None if a figure in it is unknown."""
    figures = [figure(match[1], match[2] or "", row) for match in _FIGURE.finditer(template)]
    return None if numbers.UNKNOWN in figures else fill(template, row)


def figures_of(template: str) -> list[str]:
    """Return the names of the figures in a template, each part of `a/b` by itself."""
    return [name for match in _FIGURE.finditer(template) for name in match[1].split("/")]


def figure(name: str, unit: str, row: Row) -> str:
    """Return one figure, or one of two (`a/b`), in a unit.

    Raises KeyError if there is no such unit.
    """
    first, second = _parts(name)
    if unit == "range":
        return _range(first, row)
    part, whole = value_of(first, row), second and value_of(second, row)
    if part is None or (second and not whole and unit not in {"change", "usd_since"}):
        return numbers.UNKNOWN
    if second:
        return _TWO[unit](part, whole)
    if unit.startswith("plural:"):
        return numbers.plural(part, unit.removeprefix("plural:"))
    return _ONE[unit](part)


def plain(name: str, unit: str, row: Row) -> str | None:
    """Return the exact figure as plain digits or an ISO date, to sort by and for files.

    A range has both ends. An unknown figure is empty; None stands for one that is a text.
    """
    first, second = _parts(name)
    if unit == "range":
        return _range(first, row, is_plain=True)
    part, whole = value_of(first, row), second and value_of(second, row)
    if unit == "interval" or isinstance(part, str):
        return None
    if unit == "usd_since":
        return "" if part is None else _exact(part)
    if part is None or (second and whole is None):
        return ""
    if second:
        part *= 1_000_000 if unit == "per_million" else 1
        is_money = unit in {"each", "per_million"}
        return _quotient(part, whole, 10 if is_money else 6) if whole else ""
    if isinstance(part, Decimal):
        return _exact(part)
    if isinstance(part, datetime):
        return f"{part.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return part.isoformat() if isinstance(part, date) else str(part)


def value_of(name: str, row: Row) -> Any:
    """Return the value of a name, which dots lead into rows within the row; None if absent."""
    if "." not in name:
        return row.get(name)
    value: Any = row
    for step in name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _exact(amount: Decimal) -> str:
    return f"{amount:.10f}"


def _quotient(part: Any, whole: Any, places: int = 6) -> str:
    return f"{Decimal(part) / Decimal(whole):.{places}f}"


@cache
def _parts(name: str) -> tuple[str, str]:
    """Return both names of `a/b`, the second one empty where there is one."""
    first, _, second = name.partition("/")
    return first, second


def _range(name: str, row: Row, *, is_plain: bool = False) -> str:
    """Write the cost of some runs as one amount or as what it is between."""
    amount = _exact if is_plain else numbers.usd
    ends = ("_cost_usd", "_cost_more_usd", "_cost_open_count")
    low, more, count = (value_of(name.replace(ends[0], each), row) for each in ends)
    if low is None:
        return "" if is_plain else numbers.UNKNOWN
    first, last = amount(low), amount(low + (more or 0))
    if count:
        return f"{first} or more"
    return first if first == last else f"{first} to {last}"
