"""Budgets held against charges: how their months will end, and when their money is gone.

The forecast is that of `forecasting`, of what the charges of a budget cost a UTC day. It is made
for months that have begun, were read from their first day of all workspaces, and are not over.
"""

from __future__ import annotations

import polars as pl

from analytics.transform.day_costs import divided, units, usd
from analytics.transform.forecasting import WEEK, forecast, with_actual
from analytics.transform.models import Header, polars_model

RUN_RATE_DAYS = 7
BUDGET = ("scope", "name", "workspace_id")
BUDGETS = (
    *BUDGET,
    "month",
    "next_month",
    "budget_usd",
    "is_known",
    "first_date",
    "start",
    "read_to",
    "lacks_workspace",
    "today",
)
DAYS = (*BUDGET, "utc_date", "actual_usd")
_MONTH = (*BUDGET, "month")
_FORECASTS = ("forecast", "forecast_low", "forecast_high", "forecast_low_95", "forecast_high_95")


def budgets(
    written: pl.DataFrame, days: pl.DataFrame, closings: pl.DataFrame, closed: pl.DataFrame
) -> pl.DataFrame:
    """Every budget of the file, and those of closed months as they were closed."""
    closed_months = closings.filter(pl.col("status") == "closed").select("month")
    open_ones = written.join(closed_months, on="month", how="anti").with_columns(
        budget=units(pl.col("budget_usd")), end="next_month"
    )
    amounts = days.select(
        *BUDGET,
        month=pl.col("utc_date").dt.month_start(),
        date="utc_date",
        amount=units(pl.col("actual_usd")),
    ).sort(*BUDGET, "date")
    unknown = amounts.filter(pl.col("amount").is_null())
    made = _made(_after_unknown(open_ones, unknown), amounts)
    known = amounts.drop_nulls("amount")
    gone = pl.concat([_overruns(open_ones, known), _overruns(open_ones, _expected_days(made))])
    is_to_come = pl.col("month") > pl.col("today")
    was_read = (
        pl.col("first_date") < pl.col("end"),
        is_to_come | (pl.col("read_to") >= pl.col("month")),
    )
    computed = (
        open_ones.join(
            amounts.group_by(_MONTH).agg(
                known=pl.col("amount").sum(), unknown_count=pl.col("amount").null_count()
            ),
            on=list(_MONTH),
            how="left",
        )
        .with_columns(
            actual=pl.when("is_known", *was_read, pl.col("unknown_count").fill_null(0) == 0).then(
                pl.col("known").fill_null(0)
            )
        )
        .join(made.select(*_MONTH, "run_rate", *_FORECASTS), on=list(_MONTH), how="left")
        .join(
            gone.group_by(_MONTH).agg(exhausted_on=pl.col("date").min()),
            on=list(_MONTH),
            how="left",
        )
        .select(
            *_MONTH,
            "budget_usd",
            actual_usd=usd(pl.col("actual")),
            run_rate_usd=usd(pl.col("run_rate")),
            **{f"{name}_usd": usd(pl.col(name)) for name in _FORECASTS},
            remaining_usd=usd(pl.col("budget") - pl.col("actual")),
            exhausted_on="exhausted_on",
            status=_status(),
        )
    )
    return pl.concat([computed, closed.select(computed.columns)]).sort("month", *BUDGET)


def _status() -> pl.Expr:
    """The status of a budget, as the header of the model says."""
    is_over, month = pl.col("start") >= pl.col("end"), pl.col("month")
    return (
        pl.when(~pl.col("is_known"))
        .then(pl.lit("unknown_name"))
        .when(month > pl.col("today"))
        .then(pl.lit("upcoming"))
        .when(pl.col("known") > pl.col("budget"))
        .then(pl.lit("exceeded"))
        .when(
            is_over,
            pl.col("first_date") <= month,
            pl.col("actual").is_not_null(),
            ~pl.col("lacks_workspace"),
        )
        .then(pl.lit("within"))
        .when(pl.col("forecast").is_null())
        .then(pl.lit("not_enough_history"))
        .when(pl.col("forecast_low") > pl.col("budget"))
        .then(pl.lit("will_be_exceeded"))
        .when(pl.col("forecast_high") > pl.col("budget"))
        .then(pl.lit("at_risk"))
        .otherwise(pl.lit("on_track"))
    )


def _after_unknown(budgets: pl.DataFrame, unknown: pl.DataFrame) -> pl.DataFrame:
    """Let the history of a budget begin after the last month with a day of unknown charges."""
    after = pl.col("month").max().dt.offset_by("1mo")
    return budgets.join(
        unknown.group_by(BUDGET).agg(after=after), on=list(BUDGET), how="left"
    ).with_columns(first_date=pl.max_horizontal("first_date", "after"))


def _made(budgets: pl.DataFrame, amounts: pl.DataFrame) -> pl.DataFrame:
    """Return the forecast of each budget of a month that goes on, in units; null without one."""
    start, month = pl.col("start"), pl.col("month")
    going_on = budgets.filter(
        pl.col("first_date") <= month,
        month <= pl.col("today"),
        pl.max_horizontal("start", "today") < pl.col("end"),
        ~pl.col("lacks_workspace"),
    ).with_columns(first=pl.max_horizontal("start", "month"))
    series = _on_every_date(going_on, amounts)
    before = pl.duration(days=RUN_RATE_DAYS)
    rates = with_actual(
        going_on.select(*_MONTH, first=start - before, end="start"), series, BUDGET
    ).select(*_MONTH, run_rate=divided(pl.col("actual"), pl.lit(RUN_RATE_DAYS)))
    sums = (
        amounts.join(going_on.select(*_MONTH, "start"), on=list(_MONTH))
        .group_by(_MONTH)
        .agg(
            actual=pl.col("amount").sum(),
            to_date=pl.col("amount").filter(pl.col("date") < pl.col("start")).sum(),
        )
    )
    month_end = pl.col("to_date") + pl.col("expected")
    return (
        forecast(series, going_on, BUDGET)
        .join(rates, on=list(_MONTH), how="left")
        .join(sums, on=list(_MONTH), how="left")
        .with_columns(pl.col("actual", "to_date").fill_null(0))
        .with_columns(
            forecast=_at_least_actual(month_end),
            forecast_low=_at_least_actual(month_end - pl.col("spread_80")),
            forecast_high=_at_least_actual(month_end + pl.col("spread_80")),
            forecast_low_95=_at_least_actual(month_end - pl.col("spread_95")),
            forecast_high_95=_at_least_actual(month_end + pl.col("spread_95")),
        )
    )


def _on_every_date(budgets: pl.DataFrame, amounts: pl.DataFrame) -> pl.DataFrame:
    """Return the amount of each budget on every date that was read as a whole, in order."""
    spans = budgets.select(*BUDGET, "first_date", "start").unique()
    return (
        spans.filter(pl.col("first_date") < pl.col("start"))
        .select(*BUDGET, date=pl.date_ranges("first_date", "start", closed="left"))
        .explode("date")
        .join(amounts.select(*BUDGET, "date", "amount"), on=[*BUDGET, "date"], how="left")
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
    "marts.fct_budgets",
    header=Header(
        "Budgets of finance/budgets.csv against what anybody must pay for the charges of their"
        " month: metered cost and surcharge, which is what Levain bills, and what providers bill"
        " for keys of one's own (own-key cost). Those of a cost center are its agents' own, before"
        " allocation, without its share of what is shared out. Months are UTC months of the meter;"
        " a closed one has what its close froze, and one that goes on the forecast of"
        " fct_forecasts' method."
        " Grain: scope, name, workspace and month.",
        key=_MONTH,
        frozen="month",
        columns={
            "scope": "Whose charges the budget is for: workspace, agent, cost_center or all.",
            "name": "Name or identifier in finance/budgets.csv; '(all)' for the scope all.",
            "workspace_id": "Identifier of the workspace; '(all)' for all of them; as written where"
            " nothing has the name.",
            "month": "First day of the calendar month (UTC).",
            "actual_usd": "Metered cost + surcharge in US dollars of the month so far, before"
            " allocation; null if nothing of it was read, the API does not give the bill of one of"
            " its days, or nothing has the name.",
            "status": "on_track, at_risk or will_be_exceeded (the high end of the forecast's 80 %"
            " range is above the budget, or even its low end), exceeded (by what is known of the"
            " charges), within (the month is over),"
            " not_enough_history, upcoming (the month has not begun), or unknown_name.",
        },
        values={
            "scope": ("workspace", "agent", "cost_center", "all"),
            "status": (
                "on_track",
                "at_risk",
                "will_be_exceeded",
                "exceeded",
                "within",
                "not_enough_history",
                "upcoming",
                "unknown_name",
            ),
        },
    ),
    inputs={
        "intermediate.int_budgets": BUDGETS,
        "intermediate.int_budget_days": DAYS,
        "finance.closings": ("month", "status"),
        "finance.closed_budgets": ("*",),
    },
    compute=budgets,
)
