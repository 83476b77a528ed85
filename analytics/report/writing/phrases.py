"""Texts with figures in them. `reports/script/numbers.js` writes the same ones for a chosen period.

A figure is named as `{cost_usd|usd}`, a share or a rate as `{failed_count/finished_count|rate}`,
the cost of failed runs as `{failed_cost_usd|range}`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from analytics.format import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analytics.report.figures.facts import Subject

Value: TypeAlias = "Decimal | int | float | str | None"

_FIGURE = re.compile(r"\{([\w/@]+)(?:\|([\w: ]+))?\}")
_ONE: dict[str, Callable[..., str]] = {
    "usd": numbers.usd,
    "usd_fine": numbers.usd_fine,
    "usd_per_run": numbers.usd_per_run,
    "count": lambda value: numbers.UNKNOWN if value is None else numbers.count(value),
    "tokens": numbers.tokens,
    "seconds": lambda value: numbers.duration(None if value is None else float(value)),
    "milliseconds": lambda value: numbers.duration(None if value is None else value / 1000),
}
_TWO: dict[str, Callable[..., str]] = {
    "percent": numbers.percent,
    "rate": numbers.failure_rate,
    "interval": numbers.interval,
    "each": lambda amount, count: numbers.usd_fine(amount / count),
}


def detail(subject: Subject) -> str:
    """A sentence below figures of single runs, where not every charted run is listed."""
    return "" if subject.has_all_details else " Listed runs."


def fill(template: str, values: Mapping[str, Value]) -> str:
    """The template with each figure written in its unit; a text stands as it is."""
    return _FIGURE.sub(lambda match: figure(match[1], match[2] or "", values), template)


def figure(name: str, unit: str, values: Mapping[str, Value]) -> str:
    """One figure, or one of two, in a unit."""
    part, _, whole = name.partition("/")
    if unit in {"range", "range_percent"}:
        return _range(part, whole, values)
    if whole:
        return _of_two(values.get(part), values.get(whole), unit)
    value = values.get(part)
    if isinstance(value, str):
        return value
    if unit.startswith("plural:"):
        noun = unit.removeprefix("plural:")
        return numbers.plural(value, noun) if isinstance(value, int) else numbers.UNKNOWN
    return _ONE[unit](value)


def plain(name: str, unit: str, values: Mapping[str, Value]) -> str | None:
    """The same as plain digits, which a column sorts by and a file holds; None where it is text."""
    part, _, whole = name.partition("/")
    value, other = values.get(part), values.get(whole)
    if isinstance(value, str) or isinstance(other, str) or unit == "interval":
        return None
    if value is None or (whole and not other):
        return ""
    if whole and other:
        return f"{Decimal(value) / Decimal(other):.6f}"
    return numbers.usd_exact(value) if isinstance(value, Decimal) else str(value)


def _range(low: str, whole: str, values: Mapping[str, Value]) -> str:
    """The cost of failed runs, or its share: two bounds where failed runs are unlisted."""
    least, base = values.get(low), values.get(whole)
    if least is None or (whole and not base):
        return numbers.UNKNOWN
    most = values.get(low.replace("_cost_usd", "_cost_high_usd"))
    unlisted = values.get(low.replace("failed_cost_usd", "unlisted_failed_count"))
    first, last = (
        None if each is None else numbers.percent(each, base) if whole else numbers.usd(each)  # type: ignore[arg-type]
        for each in (least, most)
    )
    if not unlisted or first == last:
        return first or ""
    return f"{first} or more" if last is None else f"{first} to {last}"


def _of_two(part: Value, whole: Value, unit: str) -> str:
    if part is None or whole is None:
        return numbers.UNKNOWN
    if not whole:
        return numbers.UNKNOWN
    return _TWO[unit](part, whole)
