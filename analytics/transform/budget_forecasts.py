"""How the months of budgets will end, and the day on which their money is gone.

The forecast is that of `forecasting`, of what the charges of a budget cost a UTC day. It is made
for months that have begun, were read from their first day, and are not over.
"""

from __future__ import annotations

import polars as pl

from analytics.transform.day_costs import divided, units, usd
from analytics.transform.forecasting import WEEK, forecast, with_actual
from analytics.transform.models import Header, polars_model

RUN_RATE_DAYS = 7
BUDGET = ("scope", "name", "workspace_id")
BUDGETS = (*BUDGET, "month", "next_month", "budget_usd", "first_date", "start", "today")
DAYS = (*BUDGET, "utc_date", "amount_usd")
_MONTH = (*BUDGET, "month")


def budget_forecasts(budgets: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Every budget of a month that goes on or whose money is gone."""
    budgets = budgets.with_columns(budget=units(pl.col("budget_usd")), end="next_month")
    days = days.select(*BUDGET, date="utc_date", amount=units(pl.col("amount_usd")))
    actual = days.with_columns(month=pl.col("date").dt.month_start()).sort(*BUDGET, "date")
    made = _made(budgets, actual)
    gone = pl.concat([_overruns(budgets, actual), _overruns(budgets, _expected_days(made))])
    month_end = pl.col("to_date") + pl.col("expected")
    return (
        gone.group_by(_MONTH)
        .agg(exhausted_on=pl.col("date").min())
        .join(made, on=list(_MONTH), how="full", coalesce=True)
        .select(
            *_MONTH,
            run_rate_usd=usd(pl.col("run_rate")),
            forecast_usd=usd(_at_least_actual(month_end)),
            forecast_low_usd=usd(_at_least_actual(month_end - pl.col("spread_80"))),
            forecast_high_usd=usd(_at_least_actual(month_end + pl.col("spread_80"))),
            forecast_low_95_usd=usd(_at_least_actual(month_end - pl.col("spread_95"))),
            forecast_high_95_usd=usd(_at_least_actual(month_end + pl.col("spread_95"))),
            exhausted_on="exhausted_on",
        )
        .sort(_MONTH)
    )


def _made(budgets: pl.DataFrame, actual: pl.DataFrame) -> pl.DataFrame:
    """Return the forecast of each budget of a month that goes on, in units; null without one."""
    start, month = pl.col("start"), pl.col("month")
    going_on = budgets.filter(
        pl.col("first_date") <= month, month <= pl.col("today"), start < pl.col("end")
    ).with_columns(first=pl.max_horizontal("start", "month"))
    series = _on_every_date(going_on, actual)
    before = pl.duration(days=RUN_RATE_DAYS)
    rates = with_actual(
        going_on.select(*_MONTH, first=start - before, end="start"), series, BUDGET
    ).select(*_MONTH, run_rate=divided(pl.col("actual"), pl.lit(RUN_RATE_DAYS)))
    sums = (
        actual.join(going_on.select(*_MONTH, "start"), on=list(_MONTH))
        .group_by(_MONTH)
        .agg(
            actual=pl.col("amount").sum(),
            to_date=pl.col("amount").filter(pl.col("date") < pl.col("start")).sum(),
        )
    )
    return (
        forecast(series, going_on, BUDGET)
        .join(rates, on=list(_MONTH), how="left")
        .join(sums, on=list(_MONTH), how="left")
        .with_columns(pl.col("actual", "to_date").fill_null(0))
    )


def _on_every_date(budgets: pl.DataFrame, actual: pl.DataFrame) -> pl.DataFrame:
    """Return the amount of each budget on every date that was read as a whole, in order."""
    spans = budgets.select(*BUDGET, "first_date", "start").unique()
    return (
        spans.filter(pl.col("first_date") < pl.col("start"))
        .select(*BUDGET, date=pl.date_ranges("first_date", "start", closed="left"))
        .explode("date")
        .join(actual.select(*BUDGET, "date", "amount"), on=[*BUDGET, "date"], how="left")
        .with_columns(pl.col("amount").fill_null(0))
        .sort(*BUDGET, "date")
    )


def _expected_days(made: pl.DataFrame) -> pl.DataFrame:
    """Return what is expected on each date left, with all to date on the one before."""
    known = made.drop_nulls("expected").filter(pl.col("first") < pl.col("end"))
    number = (pl.col("date") - pl.col("start")).dt.total_days() % len(WEEK)
    days = (
        known.with_columns(
            date=pl.date_ranges("first", "end", closed="left"), week=pl.concat_list(WEEK)
        )
        .explode("date")
        .select(*_MONTH, "date", amount=pl.col("week").list.get(number).round(0).cast(pl.Int128))
    )
    day_before = pl.col("first") - pl.duration(days=1)
    to_date = known.select(*_MONTH, date=day_before, amount="to_date")
    return pl.concat([to_date, days]).sort(*_MONTH, "date")


def _overruns(budgets: pl.DataFrame, amounts: pl.DataFrame) -> pl.DataFrame:
    """Return the first date of each month by which its amounts are above the budget."""
    return (
        amounts.join(budgets.select(*_MONTH, "budget"), on=list(_MONTH), maintain_order="left")
        .filter(pl.col("amount").cum_sum().over(_MONTH) > pl.col("budget"))
        .group_by(_MONTH)
        .agg(pl.col("date").min())
    )


def _at_least_actual(estimate: pl.Expr) -> pl.Expr:
    """The estimate, or the actual amount, which today's charges may have raised above it."""
    return pl.when(estimate.is_not_null()).then(pl.max_horizontal("actual", estimate))


MODEL = polars_model(
    "intermediate.int_budget_forecasts",
    header=Header(
        "How the months of budgets that go on will end, and the day on which the money of a budget"
        " is gone: it was, or is expected to be. Grain: scope, name, workspace and month.",
        key=_MONTH,
    ),
    inputs={"intermediate.int_budgets": BUDGETS, "intermediate.int_budget_days": DAYS},
    compute=budget_forecasts,
)
