"""Days of agents that cost far more than they usually do, and the reason.

A date is unusual where it costs more than $1, more than $1 above the usual cost, more than half
more than it, and more than five usual deviations above it. The usual cost is the median of the
28 days before whose whole cost is known; at least 14 must be. A usual deviation is 1.4826 times
the median absolute deviation of these days, which is one standard deviation where costs are
normally distributed. A complete date without a run costs nothing and counts; a date that is not
complete, or whose unlisted runs have no known cost, neither counts nor is judged.

The days of a line begin with its first figure. Of a line with a cost on fewer than 14 of its own
days, the most expensive one alone is the usual cost. A new line is unusual on its first day, and on
one on which it grows, but not on each day for two weeks; one that runs once a week, only where it
costs far more than in each of the weeks before.
"""

from __future__ import annotations

import polars as pl

from analytics.format.names import PLATFORM
from analytics.transform import day_costs
from analytics.transform.day_costs import DATES, DAYS, SCOPE, usd
from analytics.transform.models import Header, polars_model

BASIS_DAYS = 28
FEWEST_DAYS = 14
_DOLLAR = 10**10
_WIDTH = 7413  # thousandths: five standard deviations, where 1.4826 MAD are one


def unusual_days(
    agent_days: pl.DataFrame, dates: pl.DataFrame, agents: pl.DataFrame
) -> pl.DataFrame:
    """The unusual dates of every line, over the whole history."""
    counts = ("run_count", "unknown_cost_count")
    lines = day_costs.of_lines(agent_days)
    days = day_costs.on_every_date(lines, dates, agents, *counts).with_columns(
        known=pl.when(pl.col("unknown_cost_count") * 5 <= pl.col("run_count")).then("cost")
    )
    firsts = lines.group_by(SCOPE).agg(first=pl.col("date").min())
    judged = _with_usual(_candidates(days).join(firsts, on=SCOPE), days).filter(_is_unusual())
    return judged.select(
        *SCOPE,
        "date",
        cost_usd=usd(pl.col("cost")),
        usual_cost_usd=usd(_usual()),
        excess_usd=usd(pl.col("cost") - _usual()),
        run_count="run_count",
        usual_runs="usual_runs",
        usd_per_run=usd(pl.col("cost_each")),
        usual_usd_per_run=usd(pl.col("usual_each")),
        cause=_cause(),
        basis_day_count=pl.col("basis_days").cast(pl.Int64),
        unknown_cost_count="unknown_cost_count",
    ).sort(*SCOPE, "date")


def _candidates(days: pl.DataFrame) -> pl.DataFrame:
    """The days that may be unusual: few enough to look at the days before each of them."""
    cost, known = pl.col("cost"), pl.col("known").cast(pl.Float64)
    usual = known.rolling_median(BASIS_DAYS, min_samples=FEWEST_DAYS).shift(1).over("scope")
    return days.filter((cost > _DOLLAR) & (cost > usual * 1.49)).with_columns(cost_each=_each())


def _with_usual(candidates: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """With the medians of the days before, exact: `usual2` is twice, `deviation4` four times it."""
    known = (
        candidates.select("scope", "date", "first")
        .join(pl.DataFrame({"offset": range(1, BASIS_DAYS + 1)}), how="cross")
        .with_columns(before=pl.col("date") - pl.duration(days="offset"))
        .join(
            days.select("scope", "run_count", cost="known", before="date", each=_each()),
            on=["scope", "before"],
        )
        .filter(pl.col("cost").is_not_null())
        .with_columns(known_days=pl.len().over("scope", "date"))
    )
    paid_days = (pl.col("cost") != 0).sum().over("scope", "date")
    most = pl.col("cost").max().over("scope", "date")
    basis = (
        known.filter(pl.col("before") >= pl.col("first"))
        .filter((paid_days >= FEWEST_DAYS) | (pl.col("cost") == most))
        .with_columns(usual2=_twice_the_median(pl.col("cost")).over("scope", "date"))
        .with_columns(deviation2=(pl.col("cost") * 2 - pl.col("usual2")).abs())
    )
    usual = basis.group_by("scope", "date").agg(
        pl.col("usual2").first(),
        deviation4=_twice_the_median(pl.col("deviation2")),
        usual_runs=pl.col("run_count").median(),
        usual_each=pl.col("each").filter(pl.col("cost") != 0).median(),
        basis_days=pl.len(),
    )
    return (
        candidates.join(known.select("scope", "date", "known_days").unique(), on=["scope", "date"])
        .join(usual, on=["scope", "date"], how="left")
        .with_columns(pl.col("usual2", "deviation4", "usual_runs", "basis_days").fill_null(0))
    )


def _is_unusual() -> pl.Expr:
    cost, usual2 = pl.col("cost"), pl.col("usual2")
    return (
        (pl.col("known_days") >= FEWEST_DAYS)
        & (cost * 2 > usual2 + 2 * _DOLLAR)
        & (cost * 4 > usual2 * 3)
        & (cost * 4000 > usual2 * 2000 + pl.col("deviation4") * _WIDTH)
    )


def _cause() -> pl.Expr:
    """The factor that grew more: number of runs, or cost per run; null for the platform."""
    more_runs = pl.col("run_count") / pl.col("usual_runs")
    costlier = pl.col("cost_each") / pl.col("usual_each")
    return (
        pl.when(pl.col("agent_id") == PLATFORM)
        .then(None)
        .when(pl.col("usual_runs") == 0)
        .then(pl.lit("more_runs"))
        .when(pl.col("usual_each").is_not_null(), more_runs >= costlier)
        .then(pl.lit("more_runs"))
        .otherwise(pl.lit("more_expensive_runs"))
    )


def _each() -> pl.Expr:
    """Cost per run; null without a run."""
    runs = pl.col("run_count")
    return pl.when(runs > 0).then(pl.col("cost").cast(pl.Float64) / runs)


def _usual() -> pl.Expr:
    return day_costs.divided(pl.col("usual2"), pl.lit(2))


def _twice_the_median(values: pl.Expr) -> pl.Expr:
    """Twice the median of whole numbers, which is a whole number."""
    ordered, last = values.sort(), pl.len() - 1
    return ordered.get(last // 2) + ordered.get(last - last // 2)


MODEL = polars_model(
    "marts.fct_unusual_days",
    header=Header(
        "Days on which a line of a workspace cost far more than usual: more than $1 and more than"
        " half above the median of the 28 days before, of those with the cost of at least four in"
        " five runs known (14 at least), and more than five times their usual deviation (1.4826"
        " times the median absolute deviation) above it. Days before the first of the line do not"
        " count; with fewer than 14 since that cost anything, its most expensive day is the usual"
        " one. Grain: workspace, line and date.",
        key=("workspace_id", "agent_id", "date"),
        columns={
            "cause": "What grew more against usual: more_runs or more_expensive_runs; null for the"
            " platform, whose runs are not counted in its line.",
            "usd_per_run": "Cost in US dollars / runs of the date, rounded to ten decimals.",
        },
    ),
    inputs={
        "marts.fct_agent_days": DAYS,
        "marts.dim_dates": DATES,
        "marts.dim_agents": SCOPE,
    },
    compute=unusual_days,
)
