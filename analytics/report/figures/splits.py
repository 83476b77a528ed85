"""A measure split by what it belongs to (error class, model, version, hour), day by day."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from analytics.report.figures.facts import failed_cost

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from analytics.format.days import Period

Key: TypeAlias = "tuple[str, ...]"
Value: TypeAlias = "Decimal | int | None"

MONEY = frozenset({"cost_usd", "platform_cost_usd", "failed_cost_usd", "failed_cost_high_usd"})
_FAILED = ("failed_count", "unlisted_failed_count", "failed_cost_usd", "failed_cost_high_usd")
_LARGEST_EXACT = 2**53  # of JavaScript's numbers


@dataclass(frozen=True)
class Split:
    """Columns of days since `first`, in order, of keys, and of the values of each measure.

    Values are whole numbers, money in ten-billionths of a dollar, None where unknown. A key
    begins with the name that is displayed.
    """

    first: date
    days: Sequence[int]
    keys: Sequence[Key]
    columns: Mapping[str, Sequence[int | None]]

    def over(self, period: Period) -> dict[Key, dict[str, Value]]:
        """The sums of each key in a period; None where none of its values is known."""
        rows: defaultdict[Key, list[int]] = defaultdict(list)
        for row in range(self._row(period.first), self._row(period.last, 1)):
            rows[self.keys[row]].append(row)
        return {key: self._sums(group) for key, group in rows.items()}

    def _sums(self, rows: list[int]) -> dict[str, Value]:
        sums = {
            name: _known_sum(column[row] for row in rows) for name, column in self.columns.items()
        }
        if "failed_cost_high_usd" in sums:
            failed: Any = zip(*([self.columns[name][row] for row in rows] for name in _FAILED),
                              strict=True)  # fmt: skip
            sums["failed_cost_usd"], sums["failed_cost_high_usd"] = failed_cost(failed, 0)
        return {name: _amount(name, value) for name, value in sums.items()}

    def document(self) -> dict[str, object]:
        """As the script takes it."""
        keys = {key: index for index, key in enumerate(dict.fromkeys(self.keys))}
        columns = {name: whole_numbers(column) for name, column in self.columns.items()}
        return {
            "keys": list(keys),
            "columns": {
                "day": list(self.days),
                "key": [keys[key] for key in self.keys],
                **columns,
            },
        }

    def _row(self, day: date, after: int = 0) -> int:
        return bisect_left(self.days, (day - self.first).days + after)


def empty(first: date) -> Split:
    """A split without a row."""
    return Split(first, (), (), {})


def of_rows(
    first: date, names: Sequence[str], rows: Iterable[tuple[date, Key, Sequence[Any]]]
) -> Split:
    """A split of rows of a day, a key and its measures with exact amounts."""
    ordered = sorted(rows, key=itemgetter(0))
    columns = (
        zip(*(values for _, _, values in ordered), strict=True) if ordered else [()] * len(names)
    )
    return Split(
        first,
        [(day - first).days for day, _, _ in ordered],
        [key for _, key, _ in ordered],
        {
            name: [*map(ten_billionths, column)] if name in MONEY else column
            for name, column in zip(names, columns, strict=True)
        },
    )


def ten_billionths(value: Decimal | int | None) -> int | None:
    """An amount as a whole number; a count as it is."""
    return int(value.scaleb(10)) if isinstance(value, Decimal) else value


def whole_numbers(column: Sequence[int | None]) -> list[int | str | None]:
    """A column for the script: what its numbers cannot hold exactly is text."""
    known = [*filter(None, column)]
    if max(known, default=0) < _LARGEST_EXACT and min(known, default=0) > -_LARGEST_EXACT:
        return [*column]
    return [
        value if value is None or -_LARGEST_EXACT < value < _LARGEST_EXACT else str(value)
        for value in column
    ]


def _known_sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _amount(name: str, value: int | None) -> Value:
    return Decimal(value).scaleb(-10) if value is not None and name in MONEY else value
