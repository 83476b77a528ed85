"""The cost at which the current month will end: an estimate, with a range.

Each date that is left counts as the mean of its weekday in the 56 complete dates before; with
fewer than 28 of them known, as the mean of all; with fewer than 14 there is no forecast. The range
is an 80 % prediction interval: the variance of days about those means, pooled over weekdays, for
each date left, and the uncertainty of the means themselves.

It assumes that days go on as in the last eight weeks, differ independently of each other, and
about normally so: it knows no trend, holiday or launch. A complete date without a run costs
nothing and counts, also before an agent's first run; a date whose unlisted runs have no known cost
does not count. How well it does is measured: the same forecast is made as of the same day of each
of the 12 months before, and compared with the cost of those that are known as a whole.

Estimates are computed in floats, each sum in the order of its dates, and rounded to ten decimals.
"""

from __future__ import annotations

import polars as pl

from analytics.transform import day_costs
from analytics.transform.day_costs import DATES, DAYS, SCOPE, usd
from analytics.transform.models import Header, polars_model

FEWEST_DAYS = 14
LONGEST_BASIS = 56
TESTED_MONTHS = 12
_DAYS_FOR_WEEKDAYS = 28
_QUANTILE = 1.2815515655446004  # of 0.9: a two-sided interval of 80 %
_MONTH = (*SCOPE, "month")
_ALL_DAYS = 0  # in place of a weekday


def forecasts(
    agent_days: pl.DataFrame, dates: pl.DataFrame, agents: pl.DataFrame, workspaces: pl.DataFrame
) -> pl.DataFrame:
    """The current month of every line, and of every workspace as a whole."""
    months = _months(workspaces)
    days = day_costs.with_whole(day_costs.of_lines(agent_days))
    scopes = day_costs.scopes(agents, whole_of=workspaces)
    costs = day_costs.on_every_date(days, dates, scopes).drop_nulls("cost")
    made = _made(scopes, months, days, costs)
    return (
        made.filter("is_current")
        .join(_tested(made.filter(~pl.col("is_current")), costs), on=SCOPE, how="left")
        .join(_complete_counts(dates, months), on="workspace_id", how="left")
        .select(
            *SCOPE,
            "month",
            cost_to_date_usd=usd(pl.col("to_date")),
            low_usd=usd(pl.col("low")),
            expected_usd=usd(pl.col("expected")),
            high_usd=usd(pl.col("high")),
            days_left=_day_count(pl.max_horizontal("start", "month"), pl.col("next_month")),
            basis=pl.when(pl.col("basis_days") >= _DAYS_FOR_WEEKDAYS)
            .then(pl.lit("weekdays"))
            .when(pl.col("basis_days") >= FEWEST_DAYS)
            .then(pl.lit("days")),
            basis_day_count=pl.col("basis_days"),
            tested_month_count=pl.col("tested").fill_null(0),
            hit_month_count=pl.col("hits").fill_null(0),
            incomplete_day_count=pl.max_horizontal(_day_count(pl.col("month"), pl.col("start")), 0)
            - pl.col("complete").fill_null(0),
            unknown_cost_count=pl.col("unknown_cost_count").fill_null(0),
        )
        .sort(SCOPE)
    )


def _months(workspaces: pl.DataFrame) -> pl.DataFrame:
    """The month of each workspace's last batch, and those before to test the forecast on.

    `start` is the first date that is not counted yet: the one after the last complete date; in
    an earlier month, the same day of the month as today.
    """
    timezone = str(workspaces["reporting_timezone"].first() or "UTC")
    month, today = pl.col("month"), pl.col("today")
    return (
        workspaces.drop_nulls("last_batch_at")
        .with_columns(today=pl.col("last_batch_at").dt.convert_time_zone(timezone).dt.date())
        .join(pl.DataFrame({"months_ago": range(TESTED_MONTHS + 1)}), how="cross")
        .with_columns(is_current=pl.col("months_ago") == 0)
        .with_columns(month=today.dt.month_start().dt.offset_by(pl.format("-{}mo", "months_ago")))
        .with_columns(
            next_month=month.dt.offset_by("1mo"),
            start=pl.when("is_current")
            .then(pl.coalesce(pl.col("last_complete_date") + pl.duration(days=1), today))
            .otherwise(
                pl.min_horizontal(
                    month + pl.duration(days=today.dt.day() - 1), month.dt.month_end()
                )
            ),
        )
        .select("workspace_id", "month", "next_month", "start", "is_current")
    )


def _made(
    scopes: pl.DataFrame, months: pl.DataFrame, days: pl.DataFrame, costs: pl.DataFrame
) -> pl.DataFrame:
    """Return the forecast of each scope and month; amounts are null if there is none."""
    basis = _basis(costs, months)
    counts = basis.group_by(_MONTH).agg(basis_days=pl.len().cast(pl.Int64))
    expected = pl.col("to_date") + pl.col("rest")
    return (
        scopes.join(months, on="workspace_id")
        .join(_to_date(days, months), on=_MONTH, how="left")
        .join(counts, on=_MONTH, how="left")
        .join(_rest(basis, months), on=_MONTH, how="left")
        .with_columns(
            pl.col("basis_days").fill_null(0),
            to_date=pl.when(pl.col("has_figures").is_null()).then(0).otherwise("to_date"),
        )
        .with_columns(
            expected=expected,
            low=pl.when(expected.is_not_null()).then(
                pl.max_horizontal("to_date", expected - pl.col("spread"))
            ),
            high=expected + pl.col("spread"),
        )
    )


def _to_date(days: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """Return the known cost of each month before its `start`."""
    return (
        _by_month(days)
        .join(months, on=["workspace_id", "month"])
        .filter(pl.col("date") < pl.col("start"))
        .group_by(_MONTH)
        .agg(
            pl.col("unknown_cost_count").sum(),
            to_date=day_costs.known_sum(pl.col("cost")),
            has_figures=pl.lit(value=True),
        )
    )


def _basis(costs: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """The days that each forecast is made from, in order."""
    dates = months.join(pl.DataFrame({"offset": range(1, LONGEST_BASIS + 1)}), how="cross").select(
        "workspace_id", "month", date=pl.col("start") - pl.duration(days="offset")
    )
    return costs.select(*SCOPE, "date", pl.col("cost").cast(pl.Float64)).join(
        dates, on=["workspace_id", "date"], maintain_order="left"
    )


def _rest(basis: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """Return the expected cost of the remaining dates, and half the width of the range."""
    by_weekday = pl.col("basis_days") >= _DAYS_FOR_WEEKDAYS
    groups = (
        basis.with_columns(basis_days=pl.len().over(_MONTH))
        .filter(pl.col("basis_days") >= FEWEST_DAYS)
        .with_columns(group=_group(by_weekday))
        .group_by(*_MONTH, "group", "basis_days", maintain_order=True)
        .agg("cost")
        .with_columns(mean=pl.col("cost").list.mean(), size=pl.col("cost").list.len())
        .with_columns(
            errors=(pl.col("cost") - pl.col("mean")).list.eval(pl.element() ** 2).list.sum()
        )
        .sort(*_MONTH, "group")
    )
    pooled = (
        groups.group_by(*_MONTH, "basis_days", maintain_order=True)
        .agg("errors")
        .with_columns(freedom=pl.col("basis_days").cast(pl.Int64) - pl.col("errors").list.len())
        .with_columns(
            variance=pl.col("errors").list.sum() / pl.max_horizontal("freedom", pl.lit(1))
        )
    )
    ahead, size = pl.col("ahead"), pl.col("size").fill_null(1)
    return (
        pooled.join(_ahead(months), on=["workspace_id", "month"])
        .filter((pl.col("group") != _ALL_DAYS) == by_weekday)
        .join(groups.select(*_MONTH, "group", "mean", "size"), on=[*_MONTH, "group"], how="left")
        .with_columns(
            rest=ahead * pl.col("mean").fill_null(0.0),
            width=ahead + ahead**2 / size,
        )
        .sort(*_MONTH, "group")
        .group_by(*_MONTH, "variance", maintain_order=True)
        .agg("rest", "width")
        .select(
            *_MONTH,
            rest=_rounded(pl.col("rest").list.sum()),
            spread=_rounded(_QUANTILE * (pl.col("variance") * pl.col("width").list.sum()).sqrt()),
        )
    )


def _ahead(months: pl.DataFrame) -> pl.DataFrame:
    """Return the number of remaining dates of each month: by weekday, and in all."""
    dates = months.select(
        "workspace_id",
        "month",
        date=pl.date_ranges(
            pl.max_horizontal("start", "month"), pl.col("month").dt.month_end(), closed="both"
        ),
    ).explode("date")
    return pl.concat(
        dates.with_columns(group=_group(pl.lit(by_weekday)))
        .group_by("workspace_id", "month", "group")
        .agg(ahead=pl.len().cast(pl.Int64))
        for by_weekday in (True, False)
    )


def _tested(made: pl.DataFrame, costs: pl.DataFrame) -> pl.DataFrame:
    """Return the number of earlier months with known cost, and of those within the range."""
    months = _by_month(costs).group_by(_MONTH).agg(known_days=pl.len(), total=pl.col("cost").sum())
    return (
        made.drop_nulls("expected")
        .join(months, on=_MONTH)
        .filter(_day_count(pl.col("month"), pl.col("next_month")) == pl.col("known_days"))
        .group_by(SCOPE)
        .agg(
            tested=pl.len().cast(pl.Int64),
            hits=pl.col("total").is_between("low", "high").sum().cast(pl.Int64),
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


def _group(by_weekday: pl.Expr) -> pl.Expr:
    """The days that a day is averaged with: those of its weekday, or all."""
    return pl.when(by_weekday).then(pl.col("date").dt.weekday()).otherwise(_ALL_DAYS).cast(pl.Int8)


def _day_count(first: pl.Expr, end: pl.Expr) -> pl.Expr:
    return (end - first).dt.total_days()


def _rounded(estimate: pl.Expr) -> pl.Expr:
    return estimate.round(0, mode="half_to_even").cast(pl.Int128)


MODEL = polars_model(
    "marts.fct_forecasts",
    header=Header(
        "The cost at which the current month of each workspace (that of its last batch) will end,"
        " for the workspace as a whole, agent_id '(all)', and for each of its lines: an estimate,"
        " with an 80 % range. Each date left counts as the mean of its weekday in the 56 complete"
        " dates before (of all dates, with fewer than 28); null with fewer than 14."
        " Grain: workspace, line or '(all)', and month.",
        key=("workspace_id", "agent_id", "month"),
        columns={
            "agent_id": "Identifier of the line, as in dim_agents; '(all)' for the workspace as a"
            " whole, the platform's own activity included.",
            "month": "First day of the calendar month, in the reporting time zone.",
            "unknown_cost_count": "Runs of the month to date whose cost is unknown.",
        },
    ),
    inputs={
        "marts.fct_agent_days": DAYS,
        "marts.dim_dates": DATES,
        "marts.dim_agents": SCOPE,
        "marts.dim_workspaces": (
            "workspace_id",
            "reporting_timezone",
            "last_batch_at",
            "last_complete_date",
        ),
    },
    compute=forecasts,
)
