"""The change of cost from month to month, split into its effects.

A month that is over is compared with the whole month before; the current one, up to its last
complete date, with as many days of the month before. Months are compared only where every date on
both sides is complete.

Effects of a line with runs in both spans: *volume*, the change of its number of runs at the cost
per run of the month before, and *price*, the change of its cost per run over the runs of now. All
of a line without runs before is *new*, of one without runs now *gone*, and of the platform's line
*platform*. Of a workspace, *volume* is the change of all runs of the lines with runs in both spans,
at their common cost per run of before, and *mix* the rest of their volumes: runs moved to lines
whose runs cost more or less. New, gone, price and platform are sums over lines.

If all costs of a line's runs in a span are unknown, no effect can be computed: the known cost of
the other span is the effect *unknown*, null if neither is known. A partly known cost counts as it
is; `unknown_cost_count` has the number of runs that are not in it.

Amounts are exact. Volume is rounded half-even to ten decimals, once; of a line, price is the rest
of the change, and of a workspace, mix the rest of the lines' volumes. So effects add up to the
change, and those of lines to the workspace's (volume and mix together), to the last digit.
"""

from __future__ import annotations

import polars as pl

from analytics.format.names import ALL, PLATFORM
from analytics.transform import day_costs
from analytics.transform.day_costs import DATES, DAYS, SCOPE, usd
from analytics.transform.models import Header, polars_model

EFFECTS = ("volume", "mix", "price", "new", "gone", "platform", "unknown")

_MONTH = ("workspace_id", "month")
_LINE = (*SCOPE, "month")
_SIDES = ("cost", "cost_before", "runs", "runs_before", "unknown_cost_count")
_DAY_COUNTS = ("current_day_count", "previous_day_count")


def month_changes(agent_days: pl.DataFrame, dates: pl.DataFrame) -> pl.DataFrame:
    """The effects of every line, and of every workspace as a whole, in every month."""
    lines = _lines(day_costs.of_lines(agent_days), _spans(dates))
    return (
        pl.concat([_of_lines(lines), _of_workspaces(lines)])
        .with_columns(order=pl.col("effect").replace_strict(EFFECTS, range(len(EFFECTS))))
        .sort(*_LINE, "order")
        .select(
            *_LINE,
            "effect",
            amount_usd=usd(pl.col("amount")),
            previous_cost_usd=usd(pl.col("cost_before")),
            current_cost_usd=usd(pl.col("cost")),
            previous_run_count="runs_before",
            current_run_count="runs",
            previous_day_count="previous_day_count",
            current_day_count="current_day_count",
            unknown_cost_count="unknown_cost_count",
        )
    )


def _spans(dates: pl.DataFrame) -> pl.DataFrame:
    """The months that can be compared, with the number of days on either side.

    A month counts from its first day to its last complete date.
    """
    complete = (
        dates.filter("is_complete")
        .with_columns(month=pl.col("date").dt.month_start(), day=pl.col("date").dt.day())
        .select("workspace_id", "month", "day")
    )
    months = complete.group_by(_MONTH).agg(
        days=pl.col("day").max().cast(pl.Int64), count=pl.len().cast(pl.Int64)
    )
    spans = (
        months.filter(pl.col("days") == pl.col("count"))
        .with_columns(
            before=pl.col("month").dt.offset_by("-1mo"),
            is_over=pl.col("days") == pl.col("month").dt.days_in_month(),
        )
        .with_columns(
            wanted=pl.when("is_over")
            .then(pl.col("before").dt.days_in_month())
            .otherwise(pl.min_horizontal("days", pl.col("before").dt.days_in_month()))
            .cast(pl.Int64)
        )
    )
    return (
        spans.join(complete.rename({"month": "before"}), on=["workspace_id", "before"])
        .filter(pl.col("day") <= pl.col("wanted"))
        .group_by("workspace_id", "month", "before", "is_over", "days", "wanted")
        .agg(found=pl.len())
        .filter(pl.col("found") == pl.col("wanted"))
        .select(
            *_MONTH,
            "before",
            current_day_count=pl.when("is_over").then("days").otherwise("wanted"),
            previous_day_count="wanted",
        )
    )


def _lines(days: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Each line with figures in either span: both sides, its effects, and its days."""
    day = pl.col("date").dt.day()
    days = days.with_columns(own_month=pl.col("date").dt.month_start())
    now = days.join(
        spans, left_on=["workspace_id", "own_month"], right_on=["workspace_id", "month"]
    ).with_columns(month="own_month")
    before = days.join(
        spans, left_on=["workspace_id", "own_month"], right_on=["workspace_id", "before"]
    )
    sides = _sums(now.filter(day <= pl.col("current_day_count"))).join(
        _sums(before.filter(day <= pl.col("previous_day_count"))),
        on=_LINE,
        how="full",
        coalesce=True,
        suffix="_before",
    )
    return (
        sides.with_columns(
            # No row on a side is no run, and no cost; a row may have runs of unknown cost.
            pl.col("runs", "runs_before").fill_null(0),
            cost=pl.when(pl.col("runs").is_null()).then(0).otherwise("cost"),
            cost_before=pl.when(pl.col("runs_before").is_null()).then(0).otherwise("cost_before"),
            unknown_cost_count=pl.col("unknown").fill_null(0)
            + pl.col("unknown_before").fill_null(0),
        )
        .join(spans.select(*_MONTH, *_DAY_COUNTS), on=_MONTH)
        .with_columns(kind=_kind(), change=_change())
        .filter((pl.col("runs") + pl.col("runs_before") > 0) | pl.col("change").ne_missing(0))
        .with_columns(volume=_volume(pl.col("runs"), pl.col("runs_before"), pl.col("cost_before")))
        .with_columns(price=pl.col("change") - pl.col("volume"))
    )


def _sums(days: pl.DataFrame) -> pl.DataFrame:
    return days.group_by(_LINE).agg(
        cost=day_costs.known_sum(pl.col("cost")),
        runs=pl.col("run_count").sum(),
        unknown=pl.col("unknown_cost_count").sum(),
        unknown_days=pl.col("cost").null_count(),
    )


def _kind() -> pl.Expr:
    """The effect that explains all of a line's change; `both` for volume and price."""
    unknown_days = pl.col("unknown_days").fill_null(0) + pl.col("unknown_days_before").fill_null(0)
    return (
        pl.when(
            pl.col("cost").is_null()
            | pl.col("cost_before").is_null()
            | (pl.col("agent_id") == PLATFORM) & (unknown_days > 0)
        )
        .then(pl.lit("unknown"))
        .when(pl.col("agent_id") == PLATFORM)
        .then(pl.lit("platform"))
        .when(pl.col("runs_before") == 0)
        .then(pl.lit("new"))
        .when(pl.col("runs") == 0)
        .then(pl.lit("gone"))
        .otherwise(pl.lit("both"))
    )


def _change() -> pl.Expr:
    """The change of the known cost; null if none is known on either side."""
    cost, before = pl.col("cost"), pl.col("cost_before")
    return pl.when(pl.any_horizontal(cost.is_not_null(), before.is_not_null())).then(
        cost.fill_null(0) - before.fill_null(0)
    )


def _volume(runs: pl.Expr, runs_before: pl.Expr, cost_before: pl.Expr) -> pl.Expr:
    """The change of runs at the cost per run of before, rounded half-even."""
    return pl.when(runs_before > 0).then(
        day_costs.divided((runs - runs_before) * cost_before, runs_before)
    )


def _of_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """One row for each effect that a line has."""
    both = lines.filter(kind="both")
    return pl.concat(
        _effects(frame, effect, amount)
        for frame, effect, amount in (
            (both, pl.lit("volume"), "volume"),
            (both, pl.lit("price"), "price"),
            (lines.filter(pl.col("kind") != "both"), pl.col("kind"), "change"),
        )
    )


def _of_workspaces(lines: pl.DataFrame) -> pl.DataFrame:
    """Every effect of each workspace, those of no amount too."""
    both, total = pl.col("kind") == "both", pl.col("change")
    unknown = pl.col("kind") == "unknown"
    sums = (
        lines.group_by(*_MONTH, *_DAY_COUNTS)
        .agg(
            pl.col("runs", "runs_before", "unknown_cost_count").sum(),
            *(day_costs.known_sum(pl.col(name)).alias(name) for name in ("cost", "cost_before")),
            volume=_volume(
                *(
                    pl.col(name).filter(both).sum()
                    for name in ("runs", "runs_before", "cost_before")
                )
            ).fill_null(0),
            volumes=pl.col("volume").filter(both).sum(),
            price=pl.col("price").filter(both).sum(),
            unknown=pl.when(total.filter(unknown).count() > 0).then(total.filter(unknown).sum()),
            is_unknown=unknown.any(),
            **{
                kind: total.filter(pl.col("kind") == kind).sum()
                for kind in ("new", "gone", "platform")
            },
        )
        .with_columns(
            agent_id=pl.lit(ALL),
            mix=pl.col("volumes") - pl.col("volume"),
            unknown=pl.when("is_unknown").then("unknown").otherwise(0),
        )
    )
    return pl.concat(_effects(sums, pl.lit(effect), effect) for effect in EFFECTS)


def _effects(frame: pl.DataFrame, effect: pl.Expr, amount: str) -> pl.DataFrame:
    return frame.select(*_LINE, *_DAY_COUNTS, *_SIDES, effect=effect, amount=pl.col(amount))


MODEL = polars_model(
    "marts.fct_month_changes",
    header=Header(
        "The change of cost from the month before, split into effects that add up to it exactly:"
        " of each line of a workspace, and of the workspace as a whole, agent_id '(all)'. The month"
        " that is not over counts up to its last complete date, against as many days of the month"
        " before; months are compared only where every date on both sides is complete."
        " Grain: workspace, line or '(all)', month and effect.",
        key=("workspace_id", "agent_id", "month", "effect"),
        columns={
            "agent_id": "Identifier of the line, as in dim_agents; '(all)' for the workspace as a"
            " whole, the platform's own activity included.",
            "month": "First day of the calendar month, in the reporting time zone.",
            "previous_cost_usd": "Known cost in US dollars of the month before, over the days"
            " compared: the same on every effect of a line and month.",
            "current_cost_usd": "Known cost in US dollars of the month, over the days compared: the"
            " same on every effect of a line and month.",
            "previous_run_count": "Runs of the month before, over the days compared: the same on"
            " every effect of a line and month.",
            "current_run_count": "Runs of the month, over the days compared: the same on every"
            " effect of a line and month.",
            "unknown_cost_count": "Runs of both months, over the days compared, whose cost is"
            " unknown.",
        },
    ),
    inputs={"marts.fct_agent_days": DAYS, "marts.dim_dates": DATES},
    compute=month_changes,
)
