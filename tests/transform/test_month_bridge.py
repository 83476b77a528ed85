"""The way from a month's bill to the next one's, effect by effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.format.names import PLATFORM
from analytics.transform.month_bridge import BOOKED, CHARGES, EFFECTS, MONTHS, RUNS, month_bridge

SEP, OCT, NOV = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
STEPS = ["start_usd", *(f"{effect}_effect_usd" for effect in EFFECTS)]
CELL = ["workspace_id", "agent_id", "provider", "model"]
_KINDS = {"is_complete": pl.Boolean, "has_agent_bill": pl.Boolean}


@dataclass(frozen=True)
class Use:
    """What an agent's month costs on a model."""

    month: date
    cost: Any
    tokens: int = 100
    agent: str = "a-1"
    model: str = "opus"
    surcharge: Any = 0
    own_key: Any = 0
    workspace: str = "w-1"

    @property
    def billed(self) -> Decimal:
        """What Levain bills of it."""
        return Decimal(self.cost) + Decimal(self.surcharge) - Decimal(self.own_key)


@dataclass(frozen=True)
class Runs:
    """The runs of an agent's month; those that failed and are listed cost `failed_cost`."""

    month: date
    count: int
    failed: int = 0
    failed_cost: Any = 0
    unlisted_failed: int = 0
    agent: str = "a-1"
    workspace: str = "w-1"


def bridge(
    uses: Sequence[Use],
    runs: Sequence[Runs] = (),
    *,
    status: str = "final",
    booked: Sequence[Use] | None = None,
    closed: pl.DataFrame | None = None,
    months: Sequence[date] = (OCT, NOV),
    is_complete: bool = True,
    has_agent_bill: bool = True,
) -> pl.DataFrame:
    """The bridges to `months`; `booked` are the books of October, which is closed with them."""
    charges = [
        (
            each.workspace, each.month.replace(day=9), each.agent, "levain", each.model,
            each.cost, each.surcharge, each.own_key, each.tokens // 3,
            each.tokens - each.tokens // 3,
        )
        for each in uses
    ]  # fmt: skip
    of_runs = [
        (
            each.workspace, each.agent, each.month, each.count, each.failed + each.unlisted_failed,
            each.unlisted_failed, each.failed_cost,
        )
        for each in runs
    ]  # fmt: skip
    states = {OCT: ("final" if booked is None else "closed", is_complete, True)}
    of_months = [
        (name, month, *states.get(month, (status, True, has_agent_bill)))
        for name in {each.workspace for each in uses} or {"w-1"}
        for month in months
    ]
    books = [
        (each.workspace, each.month, each.agent, "levain", each.model, each.billed)
        for each in booked or ()
    ]
    nothing = _frame(["month", *CELL, *STEPS, "end_usd"], [])
    return month_bridge(
        _frame(CHARGES, charges),
        _frame(RUNS, of_runs),
        _frame(MONTHS, of_months),
        _frame(BOOKED, books),
        nothing if closed is None else closed,
    )


def _frame(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    schema = {name: _KINDS.get(name) or _kind(name) for name in names}
    exact = [
        [
            Decimal(value) if name.endswith("_usd") and value is not None else value
            for name, value in zip(names, row, strict=True)
        ]
        for row in rows
    ]
    return pl.DataFrame(exact, schema=schema, orient="row")


def _kind(name: str) -> Any:
    if name.endswith("_usd"):
        return pl.Decimal(38, 10)
    if name.endswith(("date", "month")):
        return pl.Date
    return pl.Int64 if name.endswith("_count") or name.startswith("tokens") else pl.String


def effects(found: pl.DataFrame, **where: Any) -> dict[str, Decimal]:
    """The effects of November that are not zero, added up."""
    sums = found.filter(month=NOV, **where).select(pl.col(STEPS[1:]).sum()).row(0, named=True)
    return {name.removesuffix("_effect_usd"): amount for name, amount in sums.items() if amount}


def adds_up(found: pl.DataFrame) -> bool:
    """True if start and effects are the end, in every row."""
    return found.filter(pl.sum_horizontal(STEPS) != pl.col("end_usd")).is_empty()


FOUR_EACH = [Runs(OCT, 4), Runs(NOV, 4)]
GROWN = [Use(OCT, 10, 100), Use(NOV, 15, 150)]
OF_GROWN = [Runs(OCT, 4), Runs(NOV, 6)]
DOUBLED = [Use(OCT, 10, 100), Use(NOV, 20, 200)]


@pytest.mark.parametrize(
    ("uses", "runs", "expected"),
    [
        pytest.param(GROWN, OF_GROWN, {"volume": 5}, id="half as many runs again"),
        pytest.param(DOUBLED, FOUR_EACH, {"tokens_per_run": 10}, id="runs of twice the tokens"),
        pytest.param([Use(OCT, 10), Use(NOV, 13)], FOUR_EACH, {"price": 3}, id="a higher price"),
        pytest.param(
            # 10 runs more at 1; 20 runs of 15 tokens, not 10, at 0.1; 300 tokens at 0.2, not 0.1.
            [Use(OCT, 10, 100), Use(NOV, 60, 300)], [Runs(OCT, 10), Runs(NOV, 20)],
            {"volume": 10, "tokens_per_run": 10, "price": 30},
            id="each factor at those before it as they are now, at those after it as before",
        ),
        pytest.param(
            DOUBLED, [Runs(OCT, 10), Runs(NOV, 20, 10, 10, unlisted_failed=3)], {"failure": 10},
            id="failed runs apart from runs, tokens and prices of all others",
        ),
        pytest.param(
            [Use(OCT, 10, 100), Use(NOV, 4, 40)], [Runs(OCT, 10), Runs(NOV, 3, 3, 9)],
            {"volume": -10, "failure": 4},
            id="no more failed cost than cost, where runs are metered in the next month",
        ),
        pytest.param(
            DOUBLED, [Runs(OCT, 10, 5, 5), Runs(NOV, 20, 10, None)], {"volume": 10},
            id="failed cost unknown in one month: runs like others in both",
        ),
        pytest.param(
            [Use(OCT, 10, 100), Use(NOV, 22, 200)], [Runs(OCT, 1)], {"volume": 10, "price": 2},
            id="no run was created: tokens are the volume",
        ),
        pytest.param(
            [Use(OCT, 10, 0), Use(NOV, 22, 0)], [Runs(OCT, 1), Runs(NOV, 2)],
            {"volume": 10, "price": 2}, id="no tokens are known: more than runs is price",
        ),
        pytest.param(
            [
                Use(NOV, 4, agent="a-2"), Use(OCT, 3, agent="a-3"),
                Use(OCT, 1, agent=PLATFORM), Use(NOV, "1.5", agent=PLATFORM),
            ],
            [Runs(NOV, 1, 1, 4, agent="a-2")],
            {"new_agent": 4, "retired_agent": -3, "platform": Decimal("0.5")},
            id="new and retired agents and the platform, whatever their runs and models",
        ),
        pytest.param(
            [Use(OCT, 10, surcharge=1), Use(NOV, 10, surcharge=3, own_key=8)], FOUR_EACH,
            {"surcharge": 2, "own_key": -8}, id="cost + surcharge - own key is billed",
        ),
    ],
)  # fmt: skip
def test_effects(uses: list[Use], runs: list[Runs], expected: dict[str, Any]) -> None:
    """What differs between two months has its own effect."""
    found = bridge(uses, runs)

    assert effects(found) == expected
    assert adds_up(found)


@pytest.mark.parametrize(
    ("uses", "runs", "by", "expected"),
    [
        pytest.param(
            # 60 for 15 runs in common: 5 runs at 4 each, and what 1 and 10 each differ from it.
            [
                Use(OCT, 10, 100), Use(NOV, 5, 50),
                Use(OCT, 50, 100, "a-2"), Use(NOV, 100, 200, "a-2"),
            ],
            [Runs(OCT, 10), Runs(NOV, 5), Runs(OCT, 5, agent="a-2"), Runs(NOV, 10, agent="a-2")],
            "agent_id",
            {"a-1": {"volume": -20, "agent_mix": 15}, "a-2": {"volume": 20, "agent_mix": 30}},
            id="runs that move to a more expensive agent are no volume",
        ),
        pytest.param(
            [
                Use(OCT, 60, 60, model="opus"), Use(OCT, 4, 40, model="mini"),
                Use(NOV, 80, 80, model="opus"), Use(NOV, 2, 20, model="mini"),
            ],
            FOUR_EACH, "model", {"opus": {"model_mix": 20}, "mini": {"model_mix": -2}},
            id="tokens that move to a more expensive model",
        ),
        pytest.param(
            [Use(OCT, 10), Use(NOV, 30, model="maxi")],
            FOUR_EACH, "model", {"opus": {"model_mix": -10}, "maxi": {"model_mix": 30}},
            id="a model that the agent did not use before",
        ),
        pytest.param(
            [*GROWN, Use(OCT, 90, workspace="w-2"), Use(NOV, 90, workspace="w-2")],
            [*OF_GROWN, Runs(OCT, 4, workspace="w-2"), Runs(NOV, 6, workspace="w-2")],
            "workspace_id",
            {"w-1": {"volume": 5}, "w-2": {"volume": 45, "tokens_per_run": -45}},
            id="the common cost of a run is that of the workspace",
        ),
    ],
)  # fmt: skip
def test_effects_apart(
    uses: list[Use], runs: list[Runs], by: str, expected: dict[str, dict[str, int]]
) -> None:
    """Each agent, model and workspace has its own part of an effect."""
    found = bridge(uses, runs)

    assert {each: effects(found, **{by: each}) for each in found[by]} == expected


def test_start_of_a_closed_month() -> None:
    """The bridge starts at the books, and says first what has changed since."""
    found = bridge(GROWN, OF_GROWN, booked=[Use(OCT, 7, 70), Use(OCT, 1, 10, "a-2")])

    assert effects(found) == {"adjustment": 2, "volume": 5}
    assert found["start_usd"].sum() == 8
    assert adds_up(found)


def test_closed_months_are_those_of_the_books() -> None:
    """A closed month is not computed; it has the rows that its close froze."""
    frozen = bridge(GROWN)

    assert bridge([], status="closed", closed=frozen).equals(frozen)
    assert bridge(GROWN, status="closed").is_empty()


@pytest.mark.parametrize(
    "of",
    [
        {"months": (NOV,)}, {"months": (SEP, NOV)}, {"is_complete": False},
        {"has_agent_bill": False},
    ],
)  # fmt: skip
def test_months_that_were_not_read(of: dict[str, Any]) -> None:
    """A month has no bridge if it, or the one before, was not read whole, or not at all."""
    assert bridge(GROWN, **of).filter(month=NOV).is_empty()


AMOUNTS = st.decimals(-1, 10**5, places=10)


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[Use], list[Runs]]:
    """Uses and runs of two months, of some agents and models."""
    agents = st.sampled_from(("a-1", "a-2", PLATFORM))
    cells = st.tuples(st.sampled_from((OCT, NOV)), agents, st.sampled_from("xyz"))
    uses = [
        Use(month, draw(AMOUNTS), draw(st.integers(0, 10**11)), agent, model, draw(AMOUNTS),
            draw(AMOUNTS))
        for month, agent, model in draw(st.lists(cells, max_size=12, unique=True))
    ]  # fmt: skip
    runs = [
        Runs(month, count, draw(st.integers(0, count)), draw(st.none() | AMOUNTS), agent=agent)
        for month in (OCT, NOV)
        for agent in draw(st.lists(agents, unique=True))
        for count in [draw(st.integers(0, 10**6))]
    ]
    return uses, runs


@settings(max_examples=40)
@given(lives(), st.booleans())
def test_adds_up(life: tuple[list[Use], list[Runs]], is_booked: bool) -> None:
    """Whatever the months hold, every row adds up to the last digit, and holds both bills."""
    uses, runs = life
    before = [each for each in uses if each.month == OCT]
    booked = before[1:] if is_booked else None
    found = bridge(uses, runs, booked=booked).filter(month=NOV)

    assert adds_up(found)
    starts = sum((each.billed for each in (before if booked is None else booked)), Decimal(0))
    ends = sum((each.billed for each in uses if each.month == NOV), Decimal(0))
    assert found.select(pl.col("start_usd", "end_usd").sum()).row(0) == (starts, ends)
