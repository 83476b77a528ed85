"""Failure rates and their 95 % Wilson intervals."""

from __future__ import annotations

import polars as pl
import pytest

from analytics.transform.failure_rates import failure_rates


def rates(*pairs: tuple[int, int]) -> pl.DataFrame:
    schema = {"succeeded_count": pl.Int64, "failed_count": pl.Int64}
    return failure_rates(pl.DataFrame(pairs, schema=schema, orient="row"))


@pytest.mark.parametrize(
    ("succeeded", "failed", "low", "rate", "high"),
    [
        # Reference values: the Wilson score interval without continuity correction.
        (9, 1, 0.017876213095072995, 0.1, 0.4041500267952385),
        (50, 50, 0.4038315303659956, 0.5, 0.5961684696340043),
        (10, 0, 0.0, 0.0, 0.27753279986288925),
        (0, 10, 0.7224672001371107, 1.0, 1.0),
        (1, 0, 0.0, 0.0, 0.7934506856227626),
    ],
)
def test_interval(succeeded: int, failed: int, low: float, rate: float, high: float) -> None:
    """The rate is failed over finished runs, within its Wilson interval."""
    (row,) = rates((succeeded, failed)).rows(named=True)

    assert row["failure_rate"] == rate
    assert row["failure_rate_low"] == pytest.approx(low, abs=1e-12)
    assert row["failure_rate_high"] == pytest.approx(high, abs=1e-12)


def test_nothing_ended() -> None:
    """If no run succeeded or failed, the rate and both bounds are null."""
    assert rates((0, 0)).rows() == [(0, 0, None, None, None)]


def test_each_pair_once() -> None:
    """Equal counts give one row, so that a join by them adds no rows."""
    assert rates((1, 1), (1, 1), (0, 1)).select("succeeded_count", "failed_count").rows() == [
        (0, 1),
        (1, 1),
    ]


def test_bounds_enclose_the_rate() -> None:
    """No rounding puts a rate outside its interval, or a bound outside 0 to 1."""
    many = rates(*((n - failed, failed) for n in range(1, 120) for failed in range(n + 1)))
    huge = rates((10**15, 0), (0, 10**15), (10**15, 10**15))

    inside = pl.all_horizontal(
        pl.col("failure_rate_low") >= 0,
        pl.col("failure_rate_low") <= pl.col("failure_rate"),
        pl.col("failure_rate") <= pl.col("failure_rate_high"),
        pl.col("failure_rate_high") <= 1,
    )
    assert many.select(inside.all()).item()
    assert huge.select(inside.all()).item()


def test_no_pairs() -> None:
    """Without counts there are no rows, with the same columns."""
    assert rates().columns == [
        "succeeded_count",
        "failed_count",
        "failure_rate",
        "failure_rate_low",
        "failure_rate_high",
    ]
