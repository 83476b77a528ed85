"""Texts with figures in them. `reports/script/numbers.js` writes the same ones for a chosen period.

A figure is named as `{cost_usd|usd}`, a share or a rate as `{failed_count/finished_count|rate}`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from analytics.report.writing import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analytics.report.figures.facts import Measures

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


def context(measures: Measures) -> dict[str, Value]:
    """What templates may name of a set of runs: its measures, and what the API hides of it."""
    return {**measures.values(), "hidden": hidden(measures), "listed": listed_only(measures)}


def hidden(measures: Measures) -> str:
    """What follows a complete cost: how much of it no listed run made; empty without such."""
    if not measures.missing_run_count:
        return ""
    count = measures.missing_run_count
    if measures.gap_cost_usd is None:
        return f", without {numbers.plural(count, 'hidden run')} of unknown cost"
    unknown = ", partly of unknown cost" if measures.unknown_gap_count else ""
    cost = numbers.usd(measures.gap_cost_usd)
    return f", of which hidden runs {cost} ({numbers.count(count)}){unknown}"


def listed_only(measures: Measures) -> str:
    """What follows the description of a figure that hidden runs are not in; empty without such."""
    count = measures.missing_run_count
    return f" Listed runs only; {numbers.count(count)} hidden." if count else ""


def hatched(measures: Measures) -> str:
    """What says how hidden runs are drawn; empty without such."""
    return " Hatched: hidden runs." if measures.missing_run_count else ""


def fill(template: str, values: Mapping[str, Value]) -> str:
    """The template with each figure written in its unit; a text stands as it is."""
    return _FIGURE.sub(lambda match: figure(match[1], match[2] or "", values), template)


def figure(name: str, unit: str, values: Mapping[str, Value]) -> str:
    """One figure, or one of two, in a unit."""
    part, _, whole = name.partition("/")
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


def _of_two(part: Value, whole: Value, unit: str) -> str:
    if part is None or whole is None:
        return numbers.UNKNOWN
    if not whole:
        return numbers.UNKNOWN
    return _TWO[unit](part, whole)
