"""Failure rates with their 95 % Wilson intervals."""

from __future__ import annotations

import polars as pl

from analytics.transform.models import Header, polars_model

_Z = 1.959963984540054  # the 97.5 % point of the normal distribution


def failure_rates(measures: pl.DataFrame) -> pl.DataFrame:
    """One row per distinct pair of counts: the share that failed, and its interval.

    The rate and both bounds are null where nothing has succeeded or failed.
    """
    pairs = measures.select("succeeded_count", "failed_count").unique().sort(pl.all())
    failed = pl.col("failed_count").cast(pl.Float64)
    runs = failed + pl.col("succeeded_count")
    rate = failed / runs
    middle = (rate + _Z**2 / (2 * runs)) / (1 + _Z**2 / runs)
    half = _Z / (1 + _Z**2 / runs) * (rate * (1 - rate) / runs + (_Z / (2 * runs)) ** 2).sqrt()

    def known(value: pl.Expr) -> pl.Expr:
        return pl.when(runs > 0).then(value)

    # Rounding may push a bound past the rate itself, where that is 0 or 1.
    return pairs.with_columns(
        failure_rate=known(rate),
        failure_rate_low=known(pl.min_horizontal((middle - half).clip(0), rate)),
        failure_rate_high=known(pl.max_horizontal((middle + half).clip(None, 1), rate)),
    )


MODEL = polars_model(
    "int_failure_rates",
    header=Header(
        "Failure rate and its 95 % Wilson interval. Grain: pair of counts.",
        key=("succeeded_count", "failed_count"),
    ),
    inputs=("intermediate.int_run_measures",),
    compute=failure_rates,
)
