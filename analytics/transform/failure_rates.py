"""Failure rates with their 95 % Wilson intervals."""

from __future__ import annotations

import polars as pl

from analytics.transform.models import Header, polars_model
from analytics.transform.wilson import wilson_interval


def failure_rates(measures: pl.DataFrame) -> pl.DataFrame:
    """Return one row per distinct pair of counts: the failure rate and its interval.

    The rate and both bounds are null if no run succeeded or failed.
    """
    pairs = measures.select("succeeded_count", "failed_count").unique().sort(pl.all())
    rates = [
        (failed / finished, *wilson_interval(failed, finished))
        if (finished := succeeded + failed)
        else (None, None, None)
        for succeeded, failed in pairs.iter_rows()
    ]
    names = ("failure_rate", "failure_rate_low", "failure_rate_high")
    return pairs.hstack(pl.DataFrame(rates, schema=dict.fromkeys(names, pl.Float64), orient="row"))


MODEL = polars_model(
    "int_failure_rates",
    header=Header(
        "Failure rate and its 95 % Wilson interval. Grain: pair of counts.",
        key=("succeeded_count", "failed_count"),
    ),
    inputs=("intermediate.int_run_measures",),
    compute=failure_rates,
)
