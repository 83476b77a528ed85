"""Whatever two months hold, the bridge from the one to the other adds up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.format.names import PLATFORM
from tests.transform.given import answered

CHARGES = (
    "workspace_id", "utc_date", "agent_id", "provider", "model",
    "metered_cost_usd", "surcharge_usd", "own_key_usd", "tokens_in", "tokens_out",
)  # fmt: skip
RUNS = (
    "workspace_id", "agent_id", "month",
    "run_count", "failed_count", "unlisted_failed_count", "failed_cost_usd",
)  # fmt: skip
MONTHS = ("workspace_id", "month", "status", "is_complete", "has_agent_bill")
BOOKED = ("workspace_id", "usage_month", "agent_id", "provider", "model", "billed_usd")
OCT, NOV = date(2026, 10, 1), date(2026, 11, 1)
AMOUNTS = st.decimals(-1, 10**5, places=10)
Rows = list[tuple[Any, ...]]


def frame(names: Sequence[str], rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={name: kind(name) for name in names}, orient="row")


def kind(name: str) -> Any:
    if name.endswith("_usd"):
        return pl.Decimal(38, 10)
    if name in ("is_complete", "has_agent_bill"):
        return pl.Boolean
    if name.endswith(("date", "month")):
        return pl.Date
    return pl.Int64 if name.endswith("_count") or name.startswith("tokens") else pl.String


@st.composite
def lives(draw: st.DrawFn) -> tuple[Rows, Rows]:
    """Charges and runs of two months, of some agents and models."""
    agents = st.sampled_from(("a-1", "a-2", PLATFORM))
    cells = st.tuples(st.sampled_from((OCT, NOV)), agents, st.sampled_from("xyz"))
    charges: Rows = [
        ("w-1", month, agent, "levain", model, *(draw(AMOUNTS) for _ in range(3)),
         draw(st.integers(0, 10**11)), 0)
        for month, agent, model in draw(st.lists(cells, max_size=12, unique=True))
    ]  # fmt: skip
    runs: Rows = [
        ("w-1", agent, month, count, draw(st.integers(0, count)), 0, draw(st.none() | AMOUNTS))
        for month in (OCT, NOV)
        for agent in draw(st.lists(agents, unique=True))
        for count in [draw(st.integers(0, 10**6))]
    ]
    return charges, runs


@settings(max_examples=40)
@given(lives(), st.booleans())
def test_adds_up(life: tuple[Rows, Rows], is_booked: bool) -> None:
    """Every row adds up to the last digit, and all of them hold both bills."""
    charges, runs = life
    bills: Rows = [
        ("w-1", month, *cell, cost + surcharge - own_key)
        for _, month, *cell, cost, surcharge, own_key, _, _ in charges
    ]
    before = [each for each in bills if each[1] == OCT][is_booked:]
    states = [("w-1", OCT, "closed" if is_booked else "final"), ("w-1", NOV, "final")]
    rows = answered(
        "marts.fct_month_bridge",
        {
            "marts.fct_charges": frame(CHARGES, charges),
            "marts.fct_agent_months": frame(RUNS, runs),
            "marts.dim_months": frame(MONTHS, [(*each, True, True) for each in states]),
            "marts.dim_agents": frame(("workspace_id", "agent_id", "agent_name"), []),
            "finance.closed_charges": frame(BOOKED, before if is_booked else []),
        },
    )
    found = [each for each in rows if each["month"] == NOV]

    for row in found:
        effects = [usd for name, usd in row.items() if name.endswith("_effect_usd") and usd]
        assert row["start_usd"] + sum(effects) == row["end_usd"]
    for name, month in (
        ("start_usd", before),
        ("end_usd", [each for each in bills if each[1] == NOV]),
    ):
        assert sum(each[name] for each in found) == sum(each[-1] for each in month)
