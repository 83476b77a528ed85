"""From a month's bill to the next one's, split into effects that add up to the last digit.

Amounts are of UTC months of the meter (`fct_charges`). A month that is over is compared with the
whole month before; both must have been read whole, and the bill of each day be known.

The list-price cost of an agent with charges in both months goes from the one to the other through
levels, and an effect is the difference of two of them. Failed cost stands apart: the levels are of
the *other cost*, of the *other runs*, and a cell is what an agent spent on a model.

1. other cost of before;
2. at the number of runs of now: times runs of now / runs of before;
3. at the number of tokens of now: tokens of now at the agent's cost per token of before;
4. at the models of now: tokens of now of each model at its own cost per token of before, and a
   model that the agent did not use before at its cost of now;
5. other cost of now.

From 1 to 2 is *volume* and *agent mix*: the runs that were added at the cost per run that all these
agents of the workspace have in common, and what the agent's own differs from it. From 2 to 3 is
*tokens per run*, from 3 to 4 *model mix*, from 4 to 5 *price*, the cost per token. Where one of the
months has no other run, level 2 is level 3; without tokens, levels 3 and 4 are level 2.

*Failures* are the change of failed cost: that of listed failed runs, at most the agent's cost; it
is taken from the agent's models in proportion to their cost. If it is unknown in either month, both
count as zero, and failed runs are runs like others. All cost of an agent without charges before is
*new agent*, of one without charges now *retired agent*, of the platform's line *platform*.
*Surcharge* and *own key* are the changes of these amounts, on all lines. *Adjustment* is what
changed of a month before that is closed, since the books hold it: the bridge starts at the books.

Runs are those created in the month, in the reporting time zone, as in `fct_agent_months`.

Amounts are exact. Each level is rounded half-even to ten decimals; no effect is the rest of others.
"""

from __future__ import annotations

import polars as pl

from analytics.format.names import PLATFORM
from analytics.transform.day_costs import AGENTS, divided, named, units, usd
from analytics.transform.models import Header, polars_model

EFFECTS = (
    "adjustment",
    "volume",
    "agent_mix",
    "tokens_per_run",
    "model_mix",
    "price",
    "failure",
    "new_agent",
    "retired_agent",
    "platform",
    "surcharge",
    "own_key",
)

CHARGES = (
    "workspace_id",
    "utc_date",
    "agent_id",
    "provider",
    "model",
    "metered_cost_usd",
    "surcharge_usd",
    "own_key_usd",
    "tokens_in",
    "tokens_out",
)
RUNS = (
    "workspace_id",
    "agent_id",
    "month",
    "run_count",
    "failed_count",
    "unlisted_failed_count",
    "failed_cost_usd",
)
MONTHS = ("workspace_id", "month", "status", "is_complete", "has_agent_bill")
BOOKED = ("workspace_id", "usage_month", "agent_id", "provider", "model", "billed_usd")

_MONTH = ("workspace_id", "month")
_LINE = (*_MONTH, "agent_id")
_CELL = (*_LINE, "provider", "model")
_AMOUNTS = ("cost", "surcharge", "own_key", "tokens")
_COUNTS = ("runs", "failed_runs", "failed")


def month_bridge(
    charges: pl.DataFrame,
    runs: pl.DataFrame,
    months: pl.DataFrame,
    booked: pl.DataFrame,
    closed: pl.DataFrame,
    agents: pl.DataFrame,
) -> pl.DataFrame:
    """The effects of each agent and model in each month; those of closed months as `closed`."""
    pairs = _pairs(months, charges)
    cells = _cells(_amounts(charges), _booked(booked), pairs)
    cells = _with_effects(_with_lines(cells, runs, pairs))
    computed = cells.select(
        "month",
        "workspace_id",
        "agent_id",
        "provider",
        "model",
        start_usd=usd(pl.col("start")),
        **{f"{each}_effect_usd": usd(pl.col(each)) for each in EFFECTS},
        end_usd=usd(pl.col("end")),
    )
    bridge = pl.concat([closed.select(computed.columns), computed]).sort("month", *_CELL)
    return named(bridge, agents)


def _pairs(months: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    """The months to compute, each with the one before, and whether the books hold that one."""
    unknown = charges.filter(pl.col("surcharge_usd").is_null()).select(
        "workspace_id", month=pl.col("utc_date").dt.month_start()
    )
    whole = months.filter("is_complete", "has_agent_bill").join(unknown, on=_MONTH, how="anti")
    before = whole.select("workspace_id", before="month", is_booked=pl.col("status") == "closed")
    return (
        whole.filter(pl.col("status") != "closed")
        .select(*_MONTH, before=pl.col("month").dt.offset_by("-1mo"))
        .join(before, on=["workspace_id", "before"])
    )


def _amounts(charges: pl.DataFrame) -> pl.DataFrame:
    """Each month's amounts of a cell, money in units."""
    return (
        charges.rename({"metered_cost_usd": "cost_usd"})
        .group_by(
            "workspace_id",
            pl.col("utc_date").dt.month_start().alias("month"),
            "agent_id",
            "provider",
            "model",
        )
        .agg(
            *(units(pl.col(f"{name}_usd")).sum().alias(name) for name in _AMOUNTS[:3]),
            tokens=(pl.col("tokens_in") + pl.col("tokens_out")).sum().cast(pl.Int128),
        )
    )


def _booked(booked: pl.DataFrame) -> pl.DataFrame:
    of_month = booked.rename({"usage_month": "month"})
    return of_month.group_by(_CELL).agg(booked=units(pl.col("billed_usd")).sum())


def _cells(amounts: pl.DataFrame, booked: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Each cell with amounts in either month: both sides, and where its bridge starts and ends."""

    def before(frame: pl.DataFrame) -> pl.DataFrame:
        of = frame.rename({"month": "before"}).join(pairs, on=["workspace_id", "before"])
        return of.select(*_CELL, *(name for name in frame.columns if name not in _CELL))

    held = before(booked).join(pairs.filter("is_booked"), on=_MONTH, how="semi")
    sides = amounts.join(pairs, on=_MONTH, how="semi").join(
        before(amounts), on=_CELL, how="full", coalesce=True, suffix="_before"
    )
    sides = sides.join(held, on=_CELL, how="full", coalesce=True)
    today = pl.col("cost_before") + pl.col("surcharge_before") - pl.col("own_key_before")
    return (
        sides.join(pairs.select(*_MONTH, "is_booked"), on=_MONTH)
        .with_columns(pl.selectors.numeric().fill_null(0))
        .with_columns(
            start=pl.when("is_booked").then("booked").otherwise(today),
            end=pl.col("cost") + pl.col("surcharge") - pl.col("own_key"),
        )
        .with_columns(
            adjustment=today - pl.col("start"),
            surcharge=pl.col("surcharge") - pl.col("surcharge_before"),
            own_key=pl.col("own_key_before") - pl.col("own_key"),
        )
    )


def _with_lines(cells: pl.DataFrame, runs: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The cells, each with the sums (`line_`), runs and failed cost of its line on both sides."""
    of_month = runs.select(
        *_LINE,
        runs="run_count",
        failed_runs=pl.col("failed_count") - pl.col("unlisted_failed_count").fill_null(0),
        failed=units(pl.col("failed_cost_usd")),
    )
    of_before = (
        of_month.rename({"month": "before"})
        .join(pairs, on=["workspace_id", "before"])
        .select(*_LINE, *(pl.col(name).alias(f"{name}_before") for name in _COUNTS))
    )
    both = ("cost", "cost_before", "tokens", "tokens_before")
    return (
        cells.sort(*_CELL)
        .join(of_month, on=_LINE, how="left", maintain_order="left")
        .join(of_before, on=_LINE, how="left", maintain_order="left")
        .with_columns(
            *(pl.col(name).sum().over(_LINE).alias(f"line_{name}") for name in both),
            is_first=pl.int_range(pl.len()).over(_LINE) == 0,
            is_known=pl.all_horizontal(
                # No row is no run, which cost nothing; a row may have failed runs of unknown cost.
                pl.col(f"failed{side}").is_not_null() | pl.col(f"runs{side}").is_null()
                for side in ("", "_before")
            ),
        )
        .with_columns(
            runs=_other_runs(""),
            runs_before=_other_runs("_before"),
            failed=_failed_cost(""),
            failed_before=_failed_cost("_before"),
            kind=_kind(),
        )
        .with_columns(line_failed="failed")
    )


def _other_runs(side: str) -> pl.Expr:
    """The runs of a line that are not listed as failed; all runs if failed cost is unknown."""
    failed = pl.when("is_known").then(f"failed_runs{side}").otherwise(0)
    return (pl.col(f"runs{side}") - failed).fill_null(0).cast(pl.Int128)


def _failed_cost(side: str) -> pl.Expr:
    """The failed cost of a line, at most its cost; zero if it is unknown on either side."""
    known = pl.when("is_known").then(f"failed{side}").fill_null(0)
    return pl.min_horizontal(known, pl.col(f"line_cost{side}").clip(lower_bound=0))


def _kind() -> pl.Expr:
    """The effect that explains all of a line's cost; `both` for an agent that has many."""
    nothing = [
        (pl.col(f"line_cost{side}") == 0) & (pl.col(f"line_tokens{side}") == 0)
        for side in ("_before", "")
    ]
    return (
        pl.when(pl.col("agent_id") == PLATFORM)
        .then(pl.lit("platform"))
        .when(nothing[0])
        .then(pl.lit("new_agent"))
        .when(nothing[1])
        .then(pl.lit("retired_agent"))
        .otherwise(pl.lit("both"))
    )


def _with_effects(cells: pl.DataFrame) -> pl.DataFrame:
    """The cells with an amount of every effect."""
    cells = _shared(_shared(cells, "failed", by="cost"), "failed_before", by="cost_before")
    cells = _with_levels(
        cells.with_columns(
            other=pl.col("cost") - pl.col("failed"),
            other_before=pl.col("cost_before") - pl.col("failed_before"),
        )
    )
    of_both = {
        "volume": pl.col("volume"),
        "agent_mix": pl.col("at_runs") - pl.col("other_before") - pl.col("volume"),
        "tokens_per_run": pl.col("at_tokens") - pl.col("at_runs"),
        "model_mix": pl.col("at_models") - pl.col("at_tokens"),
        "price": pl.col("other") - pl.col("at_models"),
        "failure": pl.col("failed") - pl.col("failed_before"),
    }
    of_one = ("new_agent", "retired_agent", "platform")
    change = pl.col("cost") - pl.col("cost_before")
    return cells.with_columns(
        **{name: _where("both", amount) for name, amount in of_both.items()},
        **{kind: _where(kind, change) for kind in of_one},
    )


def _where(kind: str, amount: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("kind") == kind).then(amount).otherwise(0)


def _with_levels(cells: pl.DataFrame) -> pl.DataFrame:
    """The cells with their levels, as the module says, and the volume between the first two."""
    has_runs = (pl.col("runs") > 0) & (pl.col("runs_before") > 0)
    has_tokens = (pl.col("line_tokens") > 0) & (pl.col("line_tokens_before") > 0)
    at_tokens = _less_failed(_times("cost_before", "line_tokens", "line_tokens_before"))
    at_models = (
        pl.when(pl.col("tokens_before") > 0)
        .then(_less_failed(_times("cost_before", "tokens", "tokens_before")))
        .when(pl.col("tokens") > 0)
        .then("other")
        .otherwise("at_tokens")
    )
    counted = has_runs & (pl.col("kind") == "both")
    cells = (
        cells.with_columns(
            at_runs=pl.when(has_runs)
            .then(_times("other_before", "runs", "runs_before"))
            .when(has_tokens)
            .then(at_tokens)
            .otherwise("other_before"),
            common=pl.col("other_before").filter(counted).sum().over(_MONTH),
            # The runs of a line stand on all of its cells, and count once.
            common_runs=pl.col("runs_before")
            .filter(counted & pl.col("is_first"))
            .sum()
            .over(_MONTH),
        )
        .with_columns(
            at_tokens=pl.when(has_tokens).then(at_tokens).otherwise("at_runs"),
            volume=_times("common", pl.col("runs") - pl.col("runs_before"), "common_runs"),
        )
        .with_columns(at_models=pl.when(has_tokens).then(at_models).otherwise("at_tokens"))
    )
    by_tokens = pl.col("at_runs") - pl.col("other_before")
    return _shared(cells, "volume", by="other_before").with_columns(
        volume=pl.when(has_runs).then("volume").otherwise(by_tokens)
    )


def _times(amount: str, now: str | pl.Expr, before: str) -> pl.Expr:
    """An amount of before at the quantity of now, rounded half-even."""
    now = pl.col(now) if isinstance(now, str) else now
    return divided(pl.col(amount) * now, _positive(before))


def _less_failed(amount: pl.Expr) -> pl.Expr:
    """The part of an amount that is other cost, by the failed part of the line's cost of now."""
    other = pl.col("line_cost") - pl.col("line_failed")
    part = divided(amount * other, _positive("line_cost"))
    return pl.when(pl.col("line_failed") == 0).then(amount).otherwise(part)


def _positive(count: str) -> pl.Expr:
    """A divisor, 1 where it is zero and the quotient is not used."""
    return pl.when(pl.col(count) > 0).then(count).otherwise(1)


def _shared(cells: pl.DataFrame, name: str, *, by: str) -> pl.DataFrame:
    """An amount that stands on all cells of its line, shared by an amount of the cells.

    Each share is rounded half-even; the line's first cell has the rest.
    """
    whole = pl.col(by).sum().over(_LINE)
    share = divided(pl.col(name) * pl.col(by), pl.when(whole > 0).then(whole).otherwise(1))
    return (
        cells.with_columns(share=pl.when(whole > 0).then(share).otherwise(0))
        .with_columns(rest=pl.col(name) - pl.col("share").sum().over(_LINE))
        .with_columns(pl.col("share").alias(name) + pl.when("is_first").then("rest").otherwise(0))
        .drop("share", "rest")
    )


MODEL = polars_model(
    "marts.fct_month_bridge",
    header=Header(
        "From the bill of a month to that of the next, by agent and model: start_usd and the"
        " effects add up to end_usd in every row, so the rows of an agent, a model, a workspace or"
        " all add up to its own bridge. Only months that are over are in it, if the month before"
        " was read whole, too; a closed month has the rows that its close froze. Lines, their"
        " amounts and tokens are those of fct_charges, runs and failed cost those of"
        " fct_agent_months. Failed cost stands apart: volume, mix, tokens per run and price are of"
        " the other runs and their cost. Grain: month, workspace, agent, provider and model.",
        key=("month", "workspace_id", "agent_id", "provider", "model"),
        refs={"agent_id": "dim_agents"},
        columns={
            "month": "First day of the calendar month in UTC.",
            "start_usd": "Billed in US dollars of the month before; if that is closed, as the"
            " books have it.",
            "end_usd": "Billed in US dollars of the month.",
        },
    ),
    inputs={
        "marts.fct_charges": CHARGES,
        "marts.fct_agent_months": RUNS,
        "marts.dim_months": MONTHS,
        "finance.closed_charges": BOOKED,
        "finance.closed_month_bridge": ("*",),
        "marts.dim_agents": AGENTS,
    },
    compute=month_bridge,
)
