"""The way from a month's bill to the next one's, effect by effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.format.names import PLATFORM
from analytics.transform.month_bridge import BOOKED, CHARGES, EFFECTS, MONTHS, RUNS, month_bridge

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
STEPS = ["start_usd", *(f"{effect}_effect_usd" for effect in EFFECTS)]
CELL = ["workspace_id", "agent_id", "provider", "model"]

_MONEY = pl.Decimal(38, 10)
_KINDS = {
    "utc_date": pl.Date,
    "month": pl.Date,
    "usage_month": pl.Date,
    "is_complete": pl.Boolean,
    "has_agent_bill": pl.Boolean,
}


@dataclass(frozen=True)
class Use:
    """What an agent's month costs on a model, and the runs of the agent as its first use says."""

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


def runs_of(
    month: date, count: int, failed: int = 0, failed_cost: Any = 0, *,
    agent: str = "a-1", unlisted_failed: int = 0, workspace: str = "w-1",
) -> tuple[Any, ...]:  # fmt: skip
    """A row of fct_agent_months."""
    money = None if failed_cost is None else Decimal(failed_cost)
    return workspace, agent, month, count, failed + unlisted_failed, unlisted_failed, money


def bridge(
    uses: Sequence[Use],
    runs: Sequence[tuple[Any, ...]] = (),
    *,
    status: str = "final",
    booked: Sequence[Use] | None = None,
    closed: pl.DataFrame | None = None,
    months: Sequence[date] = (OCTOBER, NOVEMBER),
) -> pl.DataFrame:
    """The bridges to `months`; `booked` are the books of October."""
    spans = {each.workspace: months for each in uses} or {"w-1": months}
    return month_bridge(
        _frame(
            CHARGES,
            [
                (
                    each.workspace, each.month.replace(day=9), each.agent, "levain", each.model,
                    Decimal(each.cost), Decimal(each.surcharge), Decimal(each.own_key),
                    each.tokens // 3, each.tokens - each.tokens // 3,
                )
                for each in uses
            ],
        ),
        _frame(RUNS, runs),
        _frame(
            MONTHS,
            [
                (
                    name, month, "closed" if month == OCTOBER and booked is not None else status,
                    True, True,
                )
                for name, of in spans.items()
                for month in of
            ],
        ),
        _frame(
            BOOKED,
            [
                (each.workspace, each.month, each.agent, "levain", each.model, each.billed)
                for each in booked or ()
            ],
        ),
        _nothing_closed() if closed is None else closed,
    )  # fmt: skip


def _frame(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    schema = {name: _KINDS.get(name) or _kind(name) for name in names}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def _kind(name: str) -> Any:
    if name.endswith("_usd"):
        return _MONEY
    return pl.Int64 if name.endswith("_count") or name.startswith("tokens") else pl.String


def _nothing_closed() -> pl.DataFrame:
    return _frame(["month", *CELL, *STEPS, "end_usd"], [])


def effects(found: pl.DataFrame, **where: Any) -> dict[str, Decimal]:
    """The effects of November that are not zero, added up."""
    sums = found.filter(month=NOVEMBER, **where).select(pl.col(STEPS[1:]).sum()).row(0, named=True)
    return {name.removesuffix("_effect_usd"): amount for name, amount in sums.items() if amount}


def adds_up(found: pl.DataFrame) -> bool:
    """True if start and effects are the end, in every row."""
    return found.filter(pl.sum_horizontal(STEPS) != pl.col("end_usd")).is_empty()


def test_volume() -> None:
    """Half as many runs again, else as before: half the cost again."""
    found = bridge(
        [Use(OCTOBER, 10, 100), Use(NOVEMBER, 15, 150)],
        [runs_of(OCTOBER, 4), runs_of(NOVEMBER, 6)],
    )

    assert effects(found) == {"volume": 5}
    assert found.select("start_usd", "end_usd").rows() == [(10, 15)]


def test_agent_mix() -> None:
    """Runs that move to a more expensive agent are no volume; each agent's part is its own."""
    found = bridge(
        [
            Use(OCTOBER, 10, 100), Use(NOVEMBER, 5, 50),
            Use(OCTOBER, 50, 100, "a-2"), Use(NOVEMBER, 100, 200, "a-2"),
        ],
        [
            runs_of(OCTOBER, 10), runs_of(NOVEMBER, 5),
            runs_of(OCTOBER, 5, agent="a-2"), runs_of(NOVEMBER, 10, agent="a-2"),
        ],
    )  # fmt: skip

    assert effects(found) == {"agent_mix": 45}
    # 60 for 15 runs in common: 5 runs at 4 each, and what 1 and 10 each differ from it.
    assert effects(found, agent_id="a-1") == {"volume": -20, "agent_mix": 15}
    assert effects(found, agent_id="a-2") == {"volume": 20, "agent_mix": 30}


def test_tokens_per_run() -> None:
    """Runs of twice the tokens, else as before, cost twice as much."""
    found = bridge(
        [Use(OCTOBER, 10, 100), Use(NOVEMBER, 20, 200)],
        [runs_of(OCTOBER, 4), runs_of(NOVEMBER, 4)],
    )

    assert effects(found) == {"tokens_per_run": 10}


def test_model_mix() -> None:
    """Tokens that move to a more expensive model are model mix, of each model its own part."""
    found = bridge(
        [
            Use(OCTOBER, 60, 60, model="opus"), Use(OCTOBER, 4, 40, model="mini"),
            Use(NOVEMBER, 80, 80, model="opus"), Use(NOVEMBER, 2, 20, model="mini"),
        ],
        [runs_of(OCTOBER, 4), runs_of(NOVEMBER, 4)],
    )  # fmt: skip

    assert effects(found) == {"model_mix": 18}
    assert effects(found, model="opus") == {"model_mix": 20}
    assert effects(found, model="mini") == {"model_mix": -2}


def test_new_model_of_an_agent() -> None:
    """A model that an agent did not use before has no price of before: it is model mix alone."""
    found = bridge(
        [Use(OCTOBER, 10, 100), Use(NOVEMBER, 30, 100, model="maxi")],
        [runs_of(OCTOBER, 4), runs_of(NOVEMBER, 4)],
    )

    assert effects(found) == {"model_mix": 20}
    assert effects(found, model="opus") == {"model_mix": -10}


def test_price() -> None:
    """The same tokens at another cost per token are price."""
    found = bridge(
        [Use(OCTOBER, 10, 100), Use(NOVEMBER, 13, 100)],
        [runs_of(OCTOBER, 4), runs_of(NOVEMBER, 4)],
    )

    assert effects(found) == {"price": 3}


def test_all_at_once() -> None:
    """Each factor is taken at those before it as they are now, and at those after it as before."""
    found = bridge(
        [Use(OCTOBER, 10, 100), Use(NOVEMBER, 60, 300)],
        [runs_of(OCTOBER, 10), runs_of(NOVEMBER, 20)],
    )

    # 10 runs more at 1; 20 runs of 15 tokens, not 10, at 0.1; 300 tokens at 0.2, not 0.1.
    assert effects(found) == {"volume": 10, "tokens_per_run": 10, "price": 30}


def test_failures() -> None:
    """What failed runs cost stands apart from the runs, tokens and prices of all others."""
    found = bridge(
        [Use(OCTOBER, 10, 100), Use(NOVEMBER, 20, 200)],
        [runs_of(OCTOBER, 10), runs_of(NOVEMBER, 20, 10, 10, unlisted_failed=3)],
    )

    assert effects(found) == {"failure": 10}


def test_failed_cost_is_at_most_the_cost() -> None:
    """Runs that were created in a month may be metered in the next: the rest is not made up."""
    found = bridge(
        [Use(OCTOBER, 10, 100), Use(NOVEMBER, 4, 40)],
        [runs_of(OCTOBER, 10), runs_of(NOVEMBER, 3, 3, 9)],
    )

    assert effects(found) == {"volume": -10, "failure": 4}


def test_unknown_failed_cost() -> None:
    """If failed cost is unknown in one of the months, failed runs are runs like others in both."""
    found = bridge(
        [Use(OCTOBER, 10, 100), Use(NOVEMBER, 20, 200)],
        [runs_of(OCTOBER, 10, 5, 5), runs_of(NOVEMBER, 20, 10, None)],
    )

    assert effects(found) == {"volume": 10}


def test_new_and_retired_agents_and_the_platform() -> None:
    """All cost of these is one effect, whatever their runs and models."""
    found = bridge(
        [
            Use(NOVEMBER, 4, agent="a-2"), Use(OCTOBER, 3, agent="a-3"),
            Use(OCTOBER, 1, agent=PLATFORM), Use(NOVEMBER, "1.5", agent=PLATFORM),
        ],
        [runs_of(NOVEMBER, 1, 1, 4, agent="a-2")],
    )  # fmt: skip

    assert effects(found) == {"new_agent": 4, "retired_agent": -3, "platform": Decimal("0.5")}


def test_surcharge_and_own_key() -> None:
    """Both are steps of their own, of all lines: cost + surcharge - own key is billed."""
    found = bridge(
        [Use(OCTOBER, 10, surcharge=1), Use(NOVEMBER, 10, surcharge=3, own_key=8)],
        [runs_of(OCTOBER, 1), runs_of(NOVEMBER, 1)],
    )

    assert effects(found) == {"surcharge": 2, "own_key": -8}
    assert found.select("start_usd", "end_usd").rows() == [(11, 5)]


def test_months_without_runs() -> None:
    """Cost of runs that were created in another month has tokens alone: they are the volume."""
    found = bridge([Use(OCTOBER, 10, 100), Use(NOVEMBER, 22, 200)], [runs_of(OCTOBER, 1)])

    assert effects(found) == {"volume": 10, "price": 2}


def test_cost_without_tokens() -> None:
    """Where no tokens are known, more than runs is price."""
    found = bridge(
        [Use(OCTOBER, 10, 0), Use(NOVEMBER, 22, 0)], [runs_of(OCTOBER, 1), runs_of(NOVEMBER, 2)]
    )

    assert effects(found) == {"volume": 10, "price": 2}


def test_start_of_a_closed_month() -> None:
    """The bridge starts at the books, and says first what has changed since."""
    now = [Use(OCTOBER, 10, 100), Use(NOVEMBER, 15, 150)]
    booked = [Use(OCTOBER, 7, 70), Use(OCTOBER, 1, 10, "a-2")]
    found = bridge(now, [runs_of(OCTOBER, 4), runs_of(NOVEMBER, 6)], booked=booked)

    assert effects(found) == {"adjustment": 2, "volume": 5}
    assert found["start_usd"].sum() == 8
    assert adds_up(found)


def test_closed_months_are_those_of_the_books() -> None:
    """A closed month is not computed; it has the rows that its close froze."""
    now = [Use(OCTOBER, 10, 100), Use(NOVEMBER, 15, 150)]
    frozen = bridge(now)

    assert bridge([], status="closed", closed=frozen).equals(frozen)
    assert bridge(now, status="closed").is_empty()


def test_months_that_were_not_read() -> None:
    """A month has no bridge if the one before was not read whole, or not at all."""
    now = [Use(OCTOBER, 10, 100), Use(NOVEMBER, 15, 150)]

    assert bridge(now, months=(NOVEMBER,)).is_empty()
    assert bridge(now, months=(SEPTEMBER, NOVEMBER)).is_empty()


def test_workspaces_apart() -> None:
    """The common cost of a run is that of the workspace."""
    uses = [Use(OCTOBER, 10, 100), Use(NOVEMBER, 15, 150)]
    other = [Use(OCTOBER, 90, workspace="w-2"), Use(NOVEMBER, 90, workspace="w-2")]
    runs = [
        runs_of(month, count, workspace=name)
        for name in ("w-1", "w-2")
        for month, count in ((OCTOBER, 4), (NOVEMBER, 6))
    ]
    found = bridge([*uses, *other], runs)

    assert effects(found, workspace_id="w-1") == {"volume": 5}
    assert effects(found, workspace_id="w-2") == {"volume": 45, "tokens_per_run": -45}


AMOUNTS = st.decimals(-1, 10**5, places=10)


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[Use], list[tuple[Any, ...]]]:
    """Uses and runs of two months, of some agents and models."""
    agents = ("a-1", "a-2", PLATFORM)
    cells = st.tuples(
        st.sampled_from((OCTOBER, NOVEMBER)), st.sampled_from(agents), st.sampled_from("xyz")
    )
    uses = [
        Use(month, draw(AMOUNTS), draw(st.integers(0, 10**11)), agent, model, draw(AMOUNTS),
            draw(AMOUNTS))
        for month, agent, model in draw(st.lists(cells, max_size=12, unique=True))
    ]  # fmt: skip
    runs = [
        runs_of(month, count, draw(st.integers(0, count)), draw(st.none() | AMOUNTS), agent=agent)
        for month in (OCTOBER, NOVEMBER)
        for agent in draw(st.lists(st.sampled_from(agents), unique=True))
        for count in [draw(st.integers(0, 10**6))]
    ]
    return uses, runs


@settings(max_examples=60)
@given(lives(), st.booleans())
def test_adds_up(life: tuple[list[Use], list[tuple[Any, ...]]], is_booked: bool) -> None:
    """Whatever the months hold, every row adds up to the last digit, and holds both bills."""
    uses, runs = life
    before = [each for each in uses if each.month == OCTOBER]
    booked = before[1:] if is_booked else None
    found = bridge(uses, runs, booked=booked).filter(month=NOVEMBER)

    assert adds_up(found)
    starts = sum((each.billed for each in (before if booked is None else booked)), Decimal(0))
    ends = sum((each.billed for each in uses if each.month == NOVEMBER), Decimal(0))
    assert found.select(pl.col("start_usd", "end_usd").sum()).row(0) == (starts, ends)
