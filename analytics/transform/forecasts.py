"""The cost at which the current month will end: an estimate, with an 80 % and a 95 % range.

`forecasting` says how it is made. A complete date without a run costs nothing and counts; a date
that is not complete, or whose unlisted runs have no known cost, does not. How well it does is
measured: the same forecast is made as of the 1st, 8th, 15th and 22nd of each of the 12 months
before, and compared with the cost of those that are known as a whole. Shares of hits are given from
six such months on.
"""

from __future__ import annotations

import polars as pl

from analytics.transform import day_costs
from analytics.transform.day_costs import AGENTS, DATES, DAYS, SCOPE, usd
from analytics.transform.forecasting import forecast, with_actual
from analytics.transform.models import Header, polars_model

FEWEST_TESTED_MONTHS = 6
TESTED_MONTHS = 12
TESTED_FROM = (1, 8, 15, 22)  # days of the month
_MONTH = (*SCOPE, "month")


def forecasts(
    agent_days: pl.DataFrame, dates: pl.DataFrame, agents: pl.DataFrame, workspaces: pl.DataFrame
) -> pl.DataFrame:
    """The current month of every line, and of every workspace as a whole."""
    months = _months(workspaces)
    days = day_costs.with_whole(day_costs.of_lines(agent_days))
    scopes = day_costs.scopes(agents, whole_of=workspaces)
    costs = day_costs.on_every_date(days, dates, scopes).rename({"cost": "amount"})
    periods = day_costs.numbered(scopes).join(months, on="workspace_id")
    made = forecast(costs.drop(SCOPE), periods, ("scope",))
    now = made.filter("is_current").join(_to_date(days, months), on=_MONTH, how="left")
    to_date = pl.when(pl.col("spent").is_null()).then(0).otherwise("to_date")
    # What began today has no history: that nothing was spent before says nothing of what follows.
    began_today = (pl.col("expected") == 0) & (to_date == 0) & (pl.col("spent") > 0)
    is_told = pl.col("tested_month_count") >= FEWEST_TESTED_MONTHS
    found = (
        now.join(_tested(made.filter(~pl.col("is_current")), costs), on="scope", how="left")
        .join(_complete_counts(dates, months), on="workspace_id", how="left")
        .with_columns(
            pl.col("tested_month_count", "test_count", "hit_count", "hit_95_count").fill_null(0),
            to_date=to_date,
            spent=pl.col("spent").fill_null(0),
            month_end=pl.when(began_today).then(None).otherwise(to_date + pl.col("expected")),
        )
        .select(
            *SCOPE,
            "month",
            cost_to_date_usd=usd(pl.col("to_date")),
            low_95_usd=usd(_at_least_spent(pl.col("month_end") - pl.col("spread_95"))),
            low_usd=usd(_at_least_spent(pl.col("month_end") - pl.col("spread_80"))),
            expected_usd=usd(_at_least_spent(pl.col("month_end"))),
            high_usd=usd(_at_least_spent(pl.col("month_end") + pl.col("spread_80"))),
            high_95_usd=usd(_at_least_spent(pl.col("month_end") + pl.col("spread_95"))),
            days_left=_day_count(pl.col("first"), pl.col("end")),
            basis_day_count=pl.col("basis_days"),
            tested_month_count="tested_month_count",
            test_count="test_count",
            hit_count="hit_count",
            hit_95_count="hit_95_count",
            hit_rate=pl.when(is_told).then(pl.col("hit_count") / pl.col("test_count")),
            hit_95_rate=pl.when(is_told).then(pl.col("hit_95_count") / pl.col("test_count")),
            mean_error_usd=usd(pl.col("mean_error")),
            incomplete_day_count=pl.max_horizontal(_day_count(pl.col("month"), pl.col("start")), 0)
            - pl.col("complete").fill_null(0),
            unknown_cost_count=pl.col("unknown_cost_count").fill_null(0),
            unknown_platform_count=pl.col("unknown_platform_count").fill_null(0),
        )
        .sort(SCOPE)
    )
    return day_costs.named(found, agents)


def _months(workspaces: pl.DataFrame) -> pl.DataFrame:
    """The month of each workspace's last batch, and those before to test the forecast on.

    `start` is the first date that is not counted yet: the one after the last complete date, or a
    day of an earlier month. The month is forecast from its day `first` on, to the day before `end`.
    """
    tests = pl.DataFrame({"months_ago": range(1, TESTED_MONTHS + 1)}).join(
        pl.DataFrame({"day": TESTED_FROM}), how="cross"
    )
    now = pl.DataFrame({"months_ago": [0], "day": [1]})
    start, month, today = pl.col("start"), pl.col("month"), pl.col("last_batch_date")
    return (
        workspaces.drop_nulls("last_batch_date")
        .join(pl.concat([now, tests]), how="cross")
        .with_columns(
            is_current=pl.col("months_ago") == 0,
            month=today.dt.month_start().dt.offset_by(pl.format("-{}mo", "months_ago")),
        )
        .with_columns(
            end=month.dt.offset_by("1mo"),
            start=pl.when("is_current")
            .then(pl.coalesce(pl.col("last_complete_date") + pl.duration(days=1), today))
            .otherwise(month + pl.duration(days=pl.col("day") - 1)),
        )
        .with_columns(first=pl.max_horizontal(start, month))
        .select("workspace_id", "month", "start", "first", "end", "is_current")
    )


def _to_date(days: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """Return the known cost of the current month before its `start`, and with today: `spent`."""
    is_before = pl.col("date") < pl.col("start")
    before = pl.col("cost").filter(is_before)
    return (
        _by_month(days)
        .join(months.filter("is_current"), on=["workspace_id", "month"])
        .group_by(_MONTH)
        .agg(
            pl.col("unknown_cost_count", "unknown_platform_count").filter(is_before).sum(),
            to_date=pl.when((before.count() > 0) | ~is_before.any()).then(before.sum()),
            spent=pl.col("cost").sum(),
        )
    )


def _at_least_spent(estimate: pl.Expr) -> pl.Expr:
    """The estimate, or the known cost of the month, which today may have raised above it."""
    return pl.when(estimate.is_not_null()).then(pl.max_horizontal("spent", estimate))


def _tested(made: pl.DataFrame, costs: pl.DataFrame) -> pl.DataFrame:
    """Return the number of tests, of those within each range, and their mean absolute error."""
    error = (pl.col("actual") - pl.col("expected")).abs()
    return (
        with_actual(made.drop_nulls("expected"), costs, ("scope",))
        .drop_nulls("actual")
        .group_by("scope")
        .agg(
            tested_month_count=pl.col("month").n_unique().cast(pl.Int64),
            test_count=pl.len().cast(pl.Int64),
            hit_count=(error <= pl.col("spread_80")).sum().cast(pl.Int64),
            hit_95_count=(error <= pl.col("spread_95")).sum().cast(pl.Int64),
            mean_error=day_costs.divided(error.sum(), pl.len()),
        )
    )


def _complete_counts(dates: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """Return the number of complete dates of the current month."""
    return (
        _by_month(dates)
        .join(months.filter("is_current"), on=["workspace_id", "month"])
        .filter("is_complete", pl.col("date") < pl.col("start"))
        .group_by("workspace_id")
        .agg(complete=pl.len().cast(pl.Int64))
    )


def _by_month(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(month=pl.col("date").dt.month_start())


def _day_count(first: pl.Expr, end: pl.Expr) -> pl.Expr:
    return (end - first).dt.total_days()


MODEL = polars_model(
    "marts.fct_forecasts",
    header=Header(
        "The cost at which the current month of each workspace (that of its last batch) will end,"
        " for the workspace as a whole, agent_id '(all)', and for each of its lines: an estimate,"
        " with an 80 % and a 95 % range. Each date left counts as the mean of its weekday, in which"
        " a week counts half as much as one three weeks later; the ranges come from the errors that"
        " the same forecast made in the 112 dates before. Null with fewer than 12 known dates since"
        " the line's first cost. Tested as of the 1st, 8th, 15th and 22nd of the 12 months before."
        " Grain: workspace, line or '(all)', and month.",
        key=("workspace_id", "agent_id", "month"),
        columns={
            "agent_id": "Identifier of the line, as in dim_agents; '(all)' for the workspace as a"
            " whole, the platform's own activity included.",
            "agent_name": "Current name of the line, as in dim_agents; null for the workspace as a"
            " whole.",
            "month": "First day of the calendar month, in the reporting time zone.",
            "expected_usd": "Expected cost of the month in US dollars; like its ranges, no less"
            " than what is known of it, today included.",
            "unknown_cost_count": "Runs of the month to date whose cost is unknown.",
            "unknown_platform_count": "Dates of the month up to the last complete one of which what"
            " the platform itself cost is unknown, so that no figure has it.",
        },
    ),
    inputs={
        "marts.fct_agent_days": DAYS,
        "marts.dim_dates": DATES,
        "marts.dim_agents": AGENTS,
        "marts.dim_workspaces": ("workspace_id", "last_batch_date", "last_complete_date"),
    },
    compute=forecasts,
)
