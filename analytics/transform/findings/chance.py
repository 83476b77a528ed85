"""The probability that chance alone makes what was seen: one-sided tests, without a library.

Each returns a p-value between 0 and 1. Fisher's test and the binomial tail are exact; the rank test
takes the normal approximation with ties, and Student's distribution that of Wallace (1959), whose
error is below 5 % of a p-value of 1e-5 from ten degrees of freedom on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

_SMALLEST = -700.0  # the logarithm of what a float still holds
_NEGLIGIBLE = 1e-12


def fisher(hits: int, count: int, hits_before: int, count_before: int) -> float:
    """The probability of `hits` or more of `count`, if both had the same rate of hits."""
    all_hits, everything = hits + hits_before, count + count_before
    scale = _choose(everything, count)
    return _sum_of_logs(
        _choose(all_hits, each) + _choose(everything - all_hits, count - each) - scale
        for each in range(hits, min(all_hits, count) + 1)
        if count - each <= everything - all_hits
    )


def binomial(hits: int, count: int, rate: float) -> float:
    """The probability of `hits` or more of `count` trials; 1 if they are no more than expected."""
    if hits <= count * rate:
        return 1.0
    if rate <= 0:
        return 0.0
    odds = rate / (1 - rate)
    first = _choose(count, hits) + hits * math.log(rate) + (count - hits) * math.log1p(-rate)
    total = term = 1.0  # as parts of the first
    for each in range(hits, count):
        term *= (count - each) / (each + 1) * odds
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return min(1.0, math.exp(first) * total)


def rank_sum(values: Sequence[float], before: Sequence[float]) -> float:
    """The probability that `values` rank as high or higher above `before` (Mann and Whitney)."""
    n, m = len(values), len(before)
    if not n or not m:
        return 1.0
    counts = Counter(values) + Counter(before)
    ranks, below = {}, 0
    for value in sorted(counts):
        ranks[value] = below + (counts[value] + 1) / 2
        below += counts[value]
    above = sum(ranks[value] for value in values) - n * (n + 1) / 2
    ties = sum(each**3 - each for each in counts.values()) / ((n + m) * (n + m - 1))
    deviation = math.sqrt(n * m / 12 * (n + m + 1 - ties))
    return _normal((above - n * m / 2 - 0.5) / deviation) if deviation else 1.0


def student(t: float, freedom: int) -> float:
    """The probability of `t` or more, of Student's distribution with degrees of freedom."""
    if t <= 0:
        return 1.0 if t < 0 else 0.5
    scale = (8 * freedom + 1) / (8 * freedom + 3)
    return _normal(scale * math.sqrt(freedom * math.log1p(t * t / freedom)))


def _normal(z: float) -> float:
    return math.erfc(z / math.sqrt(2)) / 2


def _choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _sum_of_logs(logs: Iterable[float]) -> float:
    """Return the sum of numbers of which the logarithms are given, at most 1."""
    return min(1.0, math.fsum(math.exp(each) for each in logs if each > _SMALLEST))
