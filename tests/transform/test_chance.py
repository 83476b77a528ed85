"""Probabilities of chance are those of the tables."""

from __future__ import annotations

import math

import pytest

from analytics.transform.findings.chance import binomial, fisher, rank_sum, student


@pytest.mark.parametrize(
    ("drawn", "probability"),
    [
        ((3, 4, 1, 4), 17 / 70),  # Fisher's tea: 3 or 4 of 4 cups
        ((4, 4, 0, 4), 1 / 70),
        ((0, 4, 4, 4), 1.0),
        ((5, 10, 0, 10), 252 / 15504),
    ],
)
def test_fisher_is_exact(drawn: tuple[int, int, int, int], probability: float) -> None:
    """The tail of the hypergeometric distribution is that of counting."""
    assert fisher(*drawn) == pytest.approx(probability)


def test_the_binomial_tail_is_exact() -> None:
    """The probabilities of so many hits or more add up; no more than expected is no surprise."""
    tail = sum(math.comb(50, k) * 0.1**k * 0.9 ** (50 - k) for k in range(12, 51))

    assert binomial(12, 50, 0.1) == pytest.approx(tail)
    assert binomial(5, 50, 0.1) == 1.0
    assert binomial(1, 50, 0.0) == 0.0
    assert 0 < binomial(2_000, 100_000, 0.01) < 1e-100


@pytest.mark.parametrize(
    ("t", "freedom", "probability"),
    [(1.812, 10, 0.05), (4.144, 10, 1e-3), (5.694, 10, 1e-4), (5.263, 27, 7.4e-6), (0, 9, 0.5)],
)
def test_student_is_that_of_tables(t: float, freedom: int, probability: float) -> None:
    """The approximation is within five percent of the tables where a batch decides."""
    assert student(t, freedom) == pytest.approx(probability, rel=0.05)


def test_ranks_are_compared_with_ties() -> None:
    """Ten values above ten others are no chance; equal ones, and none, tell nothing."""
    low, high = range(10), range(10, 20)

    assert rank_sum([*high], [*low]) == pytest.approx(9.1e-5, rel=0.02)
    assert rank_sum([*low], [*high]) > 0.999
    assert rank_sum([1.0] * 5, [1.0] * 5) == 1.0
    assert rank_sum([], [1.0]) == 1.0
    assert rank_sum([1, 2, 2, 3], [0, 1, 1, 2]) == pytest.approx(0.0855, abs=0.01)
