"""The value axis of the drawn chart, from zero with round ticks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from analytics.format.numbers import NO_BREAK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_FEWEST_STEPS = 3


@dataclass(frozen=True)
class Axis:
    """A value axis: its ticks, the first at zero and the last at its top, with their texts."""

    ticks: Sequence[Decimal]
    texts: Sequence[str]

    @property
    def top(self) -> Decimal:
        """The last tick."""
        return self.ticks[-1]


def dollars(values: Iterable[Decimal | None]) -> Axis:
    """An axis of US dollars for such values."""
    largest = max((value for value in values if value is not None), default=Decimal(0))
    largest = largest or Decimal(1)
    step = _round_step(largest / _FEWEST_STEPS)
    count = int((largest / step).to_integral_value(ROUND_CEILING))
    ticks = [step * index for index in range(count + 1)]
    return Axis(ticks, [_dollars(tick) for tick in ticks])


def _round_step(limit: Decimal) -> Decimal:
    """The largest of 1, 2, 2.5 and 5 times a power of ten that is not above `limit`."""
    power = Decimal(1).scaleb(limit.adjusted())
    return max(step * power for step in _STEPS if step * power <= limit)


def _dollars(tick: Decimal) -> str:
    if tick >= 1_000_000:
        return f"${(tick / 1_000_000).normalize():,f}{NO_BREAK}M"
    plain = tick.normalize()
    decimals = max(0, -int(plain.as_tuple().exponent)) if plain else 0
    return f"${plain:,.{2 if decimals == 1 else decimals}f}"
