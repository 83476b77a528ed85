"""Costs of days as frames, for the models that compare days and months.

Amounts are whole ten-billionths of a US dollar (`units`), in which sums, medians and comparisons
are exact whatever their order; `usd` makes them money again.
"""

from __future__ import annotations

import polars as pl

from analytics.format.names import ALL

SCOPE = ("workspace_id", "agent_id")
AGENTS = (*SCOPE, "agent_name")
DAYS = (
    *SCOPE,
    "date",
    "run_count",
    "cost_usd",
    "unlisted_cost_usd",
    "unknown_cost_count",
    "unknown_platform_count",
)
DATES = ("workspace_id", "date", "is_complete")

_SCALE = 10
_MONEY = pl.Decimal(38, _SCALE)


def units(amount: pl.Expr) -> pl.Expr:
    """An amount of money in ten-billionths of a US dollar."""
    return amount.cast(_MONEY).to_physical()


def usd(amount: pl.Expr) -> pl.Expr:
    """Money from ten-billionths; a float is an estimate, and is rounded half-even here, once."""
    return amount.round(0, mode="half_to_even").cast(pl.Int128).reinterpret(dtype=_MONEY)


def divided(amount: pl.Expr, by: pl.Expr) -> pl.Expr:
    """A whole number divided by a positive one, rounded half-even, without a float."""
    by = by.cast(pl.Int128)
    low = amount // by
    twice_the_rest = (amount - low * by) * 2
    rounds_up = (twice_the_rest > by) | ((twice_the_rest == by) & (low % 2 == 1))
    return low + rounds_up.cast(pl.Int128)


def known_sum(amount: pl.Expr) -> pl.Expr:
    """The sum of the amounts that are known; null if there are some and none is known."""
    return pl.when((amount.count() > 0) | (pl.len() == 0)).then(amount.sum())


def of_lines(agent_days: pl.DataFrame) -> pl.DataFrame:
    """Return runs and `cost` (in units) by line and date.

    `is_known` is false if unlisted runs or the platform have no known cost, so that `cost` is
    incomplete.
    """
    return agent_days.select(
        *SCOPE,
        "date",
        "run_count",
        "unknown_cost_count",
        "unknown_platform_count",
        cost=units(pl.col("cost_usd")),
        is_known=pl.col("cost_usd").is_not_null()
        & pl.col("unlisted_cost_usd").is_not_null()
        & (pl.col("unknown_platform_count") == 0),
    )


def with_whole(lines: pl.DataFrame) -> pl.DataFrame:
    """The days of lines, and those of each workspace as a whole."""
    whole = lines.group_by("workspace_id", "date").agg(
        pl.col("run_count", "unknown_cost_count", "unknown_platform_count").sum(),
        cost=known_sum(pl.col("cost")),
        is_known=pl.col("is_known").all(),
    )
    return pl.concat([lines, whole.with_columns(agent_id=pl.lit(ALL)).select(lines.columns)])


def scopes(agents: pl.DataFrame, whole_of: pl.DataFrame) -> pl.DataFrame:
    """Every line, and each workspace as a whole."""
    whole = whole_of.select("workspace_id", agent_id=pl.lit(ALL))
    return pl.concat([agents.select(SCOPE), whole])


def named(rows: pl.DataFrame, agents: pl.DataFrame) -> pl.DataFrame:
    """Put the name of each line beside its id; null for a workspace as a whole."""
    place = rows.columns.index("agent_id") + 1
    return rows.join(agents.select(AGENTS), on=SCOPE, how="left", maintain_order="left").select(
        *rows.columns[:place], "agent_name", *rows.columns[place:]
    )


def numbered(scopes: pl.DataFrame) -> pl.DataFrame:
    """Give each scope its number in order, `scope`: rows are grouped by it in half the time."""
    return scopes.select(SCOPE).sort(SCOPE).with_row_index("scope")


def on_every_date(days: pl.DataFrame, dates: pl.DataFrame, scopes: pl.DataFrame) -> pl.DataFrame:
    """Return one row per scope and date of its workspace, in order; a date without runs costs 0.

    `cost` is null if the date is incomplete or some of its cost is unknown.
    """
    known = days.select(*SCOPE, "date", "cost", "is_known")
    return (
        numbered(scopes)
        .join(dates.sort("workspace_id", "date"), on="workspace_id", maintain_order="left_right")
        .join(known, on=[*SCOPE, "date"], how="left", maintain_order="left")
        .with_columns(
            cost=pl.when("is_complete", pl.col("is_known").fill_null(value=True)).then(
                pl.col("cost").fill_null(0)
            ),
        )
        .drop("is_known", "is_complete")
    )
