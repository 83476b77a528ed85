"""Tables whose columns are figures of a measure; the script writes the same for a chosen period."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.report.writing import phrases
from analytics.report.writing.tables import Cell, Column, Sum, foot
from analytics.transform.measures import measures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.report.writing.phrases import Value
    from analytics.report.writing.tables import Row

_MONEY = {"usd", "usd_fine", "range"}
_ADDED = {"count", "tokens"}
_UNITS = {"runs": "count", "usd": "usd", "tokens": "tokens", "share": "rate"}


@dataclass(frozen=True)
class Figure:
    """A column: its head, and which figure in which unit; `key` and `note` are names."""

    head: str
    value: str
    unit: str

    @property
    def column(self) -> Column:
        """The column of a table."""
        return Column(self.head, "name" if self.unit == "name" else "")


def measure(name: str, unit: str | None = None, value: str | None = None) -> Figure:
    """A column of a measure, with the label that `queries/measures.toml` declares."""
    declared = measures()[name]
    return Figure(declared.label, value or name, unit or _UNITS[declared.unit])


def cells(figures: Sequence[Figure], values: Mapping[str, Value]) -> list[str]:
    """A row of finished texts; the exact values are in the data file."""
    return [phrases.figure(each.value, each.unit, values) for each in figures]


def exact_cells(figures: Sequence[Figure], values: Mapping[str, Value]) -> list[Cell]:
    """A row with its exact values, where the page's own data file does not have them."""
    return [
        Cell(
            phrases.figure(each.value, each.unit, values),
            phrases.plain(each.value, each.unit, values),
        )
        for each in figures
    ]


def totals(
    figures: Sequence[Figure], rows: Sequence[Mapping[str, Value]], whole: Mapping[str, Value]
) -> list[Row]:
    """The foot of a table: what adds up, and nothing else; the total of money is the whole's."""
    columns = (_total(each, rows, whole) for each in figures[1:])
    return foot(*columns)


def _total(
    each: Figure, rows: Sequence[Mapping[str, Value]], whole: Mapping[str, Value]
) -> Sum | str:
    values = [row[each.value] for row in rows if each.value in row]
    if each.unit == "range" and whole.get("unlisted_failed_count"):
        return phrases.figure(each.value, each.unit, whole)
    if each.unit in _MONEY and each.value in whole:
        amount = whole[each.value]
        return Sum(
            amount if isinstance(amount, Decimal) else None,
            [value if isinstance(value, Decimal) else None for value in values],
        )
    if each.unit in _ADDED:
        known = [value for value in values if isinstance(value, int)]
        if values:  # of parts of which none is known, the sum is not known either
            return phrases.figure("sum", each.unit, {"sum": sum(known) if known else None})
    return ""
