"""The 95 % Wilson interval of a rate, for marts and pages alike."""

from __future__ import annotations

from math import sqrt

_Z = 1.959963984540054  # the 97.5 % point of the normal distribution


def wilson_interval(failed: int, finished: int) -> tuple[float, float]:
    """Return the bounds of the rate `failed / finished`, as fractions.

    `finished` must be positive.
    """
    rate = failed / finished
    middle = (rate + _Z**2 / (2 * finished)) / (1 + _Z**2 / finished)
    half = _Z / (1 + _Z**2 / finished)
    half *= sqrt(rate * (1 - rate) / finished + (_Z / (2 * finished)) ** 2)
    # Rounding may push a bound past the rate, if it is 0 or 1.
    return max(0.0, min(middle - half, rate)), min(1.0, max(middle + half, rate))
