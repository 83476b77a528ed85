"""Days of agents that cost far more than they usually do."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.transform.unusual_days import unusual_days
from tests.transform.days import agent_days, agents, dates, day, span

FIRST, LAST = date(2026, 10, 1), date(2026, 11, 19)
SPAN = span(FIRST, LAST)
BEFORE = SPAN[:-1]
VARIED = [day(each, (4, 6, 8)[each.toordinal() % 3]) for each in BEFORE]


def judge(*rows: tuple[Any, ...], complete: list[date] | None = None) -> list[dict[str, Any]]:
    """The unusual days among these, those of the agents in them."""
    lines = agents(*sorted({row[1] for row in rows}))
    return list(
        unusual_days(agent_days(*rows), dates(complete or SPAN), lines).iter_rows(named=True)
    )


def steady(cost: Any = 2, **of: Any) -> list[Any]:
    """The days before the last one, which are all alike."""
    return [day(each, cost, **{"runs": 10} | of) for each in BEFORE]


def test_more_expensive_runs() -> None:
    """A day stands with what it costs, usually costs, and the reason."""
    assert judge(*steady(), day(LAST, 9, 10)) == [
        {
            "workspace_id": "w-1",
            "agent_id": "a-1",
            "date": LAST,
            "cost_usd": Decimal(9),
            "usual_cost_usd": Decimal(2),
            "excess_usd": Decimal(7),
            "run_count": 10,
            "usual_runs": 10.0,
            "usd_per_run": Decimal("0.9"),
            "usual_usd_per_run": Decimal("0.2"),
            "cause": "more_expensive_runs",
            "basis_day_count": 28,
            "unknown_cost_count": 0,
        }
    ]


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        ([*steady(), day(LAST, 9, 45)], "more_runs"),  # each costs what it did
        ([day(LAST, 9)], "more_runs"),  # there was none before
        ([*steady(0), day(LAST, 9, 11)], "more_expensive_runs"),  # they cost nothing before
        ([*steady(agent="(platform)"), day(LAST, 9, 0, agent="(platform)")], None),
    ],
)
def test_cause(rows: list[Any], cause: str | None) -> None:
    """The reason is what grew more, runs or the cost of one; the platform's has none."""
    (found,) = judge(*rows)

    assert found["cause"] == cause


@pytest.mark.parametrize(
    ("before", "most"),
    [
        pytest.param([], "1", id="more than a dollar"),
        pytest.param(steady("0.5"), "1.5", id="more than a dollar above the usual"),
        pytest.param(steady(4), "6", id="more than half above the usual"),
        pytest.param(VARIED, "20.826", id="more than five deviations above the usual"),
    ],
)
def test_bounds_are_exact(before: list[Any], most: str) -> None:
    """A day must lie above each bound, by a ten-billionth at least."""
    assert judge(*before, day(LAST, most)) == []
    assert len(judge(*before, day(LAST, Decimal(most) + Decimal("1e-10")))) == 1


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        pytest.param([*steady(None, unknown=10), day(LAST, 9)], 0, id="no basis"),
        pytest.param([*steady(unlisted=None), day(LAST, 9)], 0, id="unlisted runs: no basis"),
        pytest.param([*steady(unknown=3), day(LAST, 9)], 0, id="less than 4 in 5: no basis"),
        pytest.param([*steady(unknown=2), day(LAST, 9)], 1, id="4 in 5 runs: a basis"),
        pytest.param([*steady(), day(LAST, 9, unlisted=None)], 0, id="unlisted runs: not judged"),
        pytest.param([*steady(), day(LAST, 9, 10, unknown=1)], 1, id="known in part: judged"),
        pytest.param([*steady(), day(LAST + timedelta(days=1), 99)], 0, id="not complete"),
    ],
)
def test_unknown_is_not_zero(rows: list[Any], count: int) -> None:
    """A date of unknown cost is no basis and is not judged, nor is one that is not complete."""
    found = judge(*rows)

    assert len(found) == count
    assert [each["unknown_cost_count"] for each in found] == [row[6] for row in rows[-1:]][:count]


def test_lines_and_workspaces_apart() -> None:
    """Each line is judged by its own days; one of the same name elsewhere is another one."""
    rows = [*steady(), day(LAST, 2), *(day(each, 50, agent="a-2") for each in SPAN)]
    found = unusual_days(
        agent_days(*rows, *steady(workspace="w-2"), day(LAST, 50, workspace="w-2")),
        pl.concat([dates(SPAN), dates(SPAN, "w-2")]),
        pl.concat([agents("a-1", "a-2"), agents("a-1", workspace="w-2")]),
    )

    assert found.select("workspace_id", "agent_id", "date").rows() == [("w-2", "a-1", LAST)]


def test_empty() -> None:
    """Without workspaces, or without runs, there are no rows, with the same columns."""
    nothing = unusual_days(agent_days(), dates([]), agents())
    no_runs = unusual_days(agent_days(), dates(SPAN), agents("a-1"))
    some = unusual_days(agent_days(day(LAST, 9)), dates(SPAN), agents("a-1"))

    assert nothing.schema == no_runs.schema == some.schema
    assert (len(nothing), len(no_runs), len(some)) == (0, 0, 1)


def test_a_new_line() -> None:
    """A line is unusual on its first day, and when it grows, not on each day for two weeks."""
    begun = date(2026, 11, 1)
    costs = {each: 6 if each.day >= 4 else 5 for each in span(begun, LAST)}
    costs |= {date(2026, 11, 8): 10, date(2026, 11, 9): 6, date(2026, 11, 18): 10}
    found = judge(*(day(each, cost) for each, cost in costs.items()))

    names = ("usual_cost_usd", "basis_day_count")
    assert [(each["date"].day, *(each[name] for name in names)) for each in found] == [
        (1, 0, 0),
        (8, 6, 4),
        (18, 6, 17),
    ]


def test_a_line_that_runs_once_a_week() -> None:
    """Of a line that rests on most days, the most expensive day is the usual one."""
    days = span(date(2026, 6, 1), LAST)
    costs = {each: 20 for each in days if each.isoweekday() == 1} | {date(2026, 11, 16): 31}
    (found,) = judge(*(day(each, cost) for each, cost in costs.items()), complete=days)

    assert (found["date"], found["usual_cost_usd"]) == (date(2026, 11, 16), 20)
    assert (found["basis_day_count"], found["cause"]) == (4, "more_expensive_runs")


def by_hand(costs: list[Decimal | None]) -> list[int]:
    """The method in plain Python: the positions of unusual days."""
    found = []
    first = next((place for place, cost in enumerate(costs) if cost != 0), 0)
    for position, cost in enumerate(costs):
        start = max(0, position - 28)
        before = [each for each in costs[start:position] if each is not None]
        if cost is None or len(before) < 14:
            continue
        own = [each for each in costs[max(start, first) : position] if each is not None]
        if sum(each != 0 for each in own) < 14:
            own = [max(own, default=Decimal(0))]
        usual = median(own)
        deviation = median(abs(each - usual) for each in own)
        bound = max(usual + Decimal("7.413") * deviation, usual * Decimal("1.5"), usual + 1)
        if cost > bound:
            found.append(position)
    return found


_costs = st.one_of(
    st.decimals(0, 12, places=2),
    st.decimals(0, 10**8, places=10),
    st.sampled_from([Decimal(0), Decimal(2), None]),
)


@settings(max_examples=40)
@given(st.lists(_costs, max_size=50))
def test_same_as_by_hand(costs: list[Decimal | None]) -> None:
    """All days at once give what the method gives day by day."""
    rows = [
        day(each, cost, 1, unknown=cost is None)
        for each, cost in zip(SPAN, costs, strict=False)
        if cost != 0
    ]
    found = unusual_days(agent_days(*rows), dates(SPAN[: len(costs)]), agents("a-1"))

    assert found["date"].to_list() == [SPAN[position] for position in by_hand(costs)]
