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
from tests.transform.given import Warehouse

FIRST, LAST = date(2026, 10, 1), date(2026, 11, 19)
SPAN = span(FIRST, LAST)


def judge(*rows: tuple[Any, ...], complete: list[date] | None = None) -> list[dict[str, Any]]:
    """The unusual days among these, those of the agents in them."""
    lines = agents(*sorted({row[1] for row in rows}))
    return list(
        unusual_days(agent_days(*rows), dates(complete or SPAN), lines).iter_rows(named=True)
    )


def steady(cost: str = "2", last: str = "9", last_runs: int = 10) -> list[Any]:
    """Days of one cost, and a last one of another."""
    return [*(day(each, cost, 10) for each in SPAN[:-1]), day(LAST, last, last_runs)]


def test_more_expensive_runs() -> None:
    """A day stands with what it costs, usually costs, and the reason."""
    assert judge(*steady()) == [
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


def test_more_runs() -> None:
    """Where the number of runs grew at least as much as the cost of one, it is the reason."""
    (found,) = judge(*steady(last_runs=45))

    assert found["cause"] == "more_runs"
    assert found["usd_per_run"] == found["usual_usd_per_run"]


def test_usually_no_run() -> None:
    """Complete dates without a run cost nothing; the first run above a dollar is unusual."""
    (found,) = judge(day(LAST, "1.0000000001"))

    assert (found["usual_cost_usd"], found["usual_runs"]) == (0, 0)
    assert found["usual_usd_per_run"] is None
    assert found["cause"] == "more_runs"
    assert judge(day(LAST, 1)) == []


def test_bounds_are_exact() -> None:
    """A day must cost more than half above the usual, by a ten-billionth at least."""
    assert judge(*steady(cost="4", last="6")) == []
    assert judge(*steady(cost="4", last="6.0000000001"))
    assert judge(*steady(cost="0.5", last="1.5")) == []
    assert judge(*steady(cost="0.5", last="1.5000000001"))


@pytest.mark.parametrize("last_runs", [9, 10, 11])
def test_runs_that_usually_cost_nothing(last_runs: int) -> None:
    """Runs that cost nothing before became more expensive, however many they are."""
    (day,) = judge(*steady(cost="0", last="9", last_runs=last_runs))

    assert day["cause"] == "more_expensive_runs"


def test_days_that_vary() -> None:
    """Where days vary by themselves, a day must be more than five deviations away."""
    rows = [day(each, (4, 6, 8)[each.toordinal() % 3]) for each in SPAN[:-1]]

    assert judge(*rows, day(LAST, "20.826")) == []
    assert [found["usual_cost_usd"] for found in judge(*rows, day(LAST, "20.8260000001"))] == [6]


def test_too_few_days() -> None:
    """No day is judged by fewer than 14 days before it."""
    cost = [day(each, 2) for each in SPAN[:-1]]

    assert judge(*cost, day(LAST, 9), complete=span(LAST - timedelta(days=13), LAST)) == []
    assert judge(*cost, day(LAST, 9), complete=span(LAST - timedelta(days=14), LAST))


def test_unknown_is_not_zero() -> None:
    """Dates of unknown cost are no basis, and are not judged; the date that runs on is neither."""
    unread = [day(each, None, 5, unknown=5) for each in SPAN[:-1]]
    in_part = [day(each, 2, 5, unknown=1, unlisted=None) for each in SPAN[:-1]]

    assert judge(*unread, day(LAST, 9)) == []
    assert judge(*in_part, day(LAST, 9)) == []
    assert judge(*steady()[:-1], day(LAST, 9, unlisted=None)) == []
    assert judge(*steady(last="2"), day(LAST + timedelta(days=1), 99)) == []


def test_known_in_part() -> None:
    """A run of unknown cost among others is counted; what is known is judged."""
    (found,) = judge(*steady()[:-1], day(LAST, 9, 10, unknown=1))

    assert found["unknown_cost_count"] == 1


def test_days_known_in_part_are_no_basis() -> None:
    """A day before counts only with the cost of at least four in five of its runs known."""
    last = day(LAST, 9, 10)

    assert judge(*(day(each, 2, 10, unknown=3) for each in SPAN[:-1]), last) == []
    assert len(judge(*(day(each, 2, 10, unknown=2) for each in SPAN[:-1]), last)) == 1


def test_platform() -> None:
    """The platform's own activity is judged as well; its runs are no reason."""
    rows = [day(each, 2, 0, agent="(platform)") for each in SPAN[:-1]]
    (found,) = judge(*rows, day(LAST, 9, 0, agent="(platform)"))

    assert (found["cause"], found["usd_per_run"]) == (None, None)


def test_lines_and_workspaces_apart() -> None:
    """Each line is judged by its own days; one of the same name elsewhere is another one."""
    rows = [*steady(last="2"), *(day(each, 50, agent="a-2") for each in SPAN)]
    other = [day(each, 2, workspace="w-2") for each in SPAN[:-1]]
    found = unusual_days(
        agent_days(*rows, *other, day(LAST, 50, workspace="w-2")),
        pl.concat([dates(SPAN), dates(SPAN, "w-2")]),
        pl.concat([agents("a-1", "a-2"), agents("a-1", workspace="w-2")]),
    )

    assert found.select("workspace_id", "agent_id", "date").rows() == [("w-2", "a-1", LAST)]


def test_empty() -> None:
    """Without workspaces, or without runs, there are no rows, with the same columns."""
    nothing = unusual_days(agent_days(), dates([]), agents())
    no_runs = unusual_days(agent_days(), dates(SPAN), agents("a-1"))

    assert (
        nothing.schema
        == no_runs.schema
        == unusual_days(agent_days(*steady()), dates(SPAN), agents("a-1")).schema
    )
    assert nothing.is_empty()
    assert no_runs.is_empty()


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


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.decimals(0, 12, places=2),
            st.decimals(0, 10**8, places=10),
            st.sampled_from([Decimal(0), Decimal(2), None]),
        ),
        max_size=50,
    )
)
def test_same_as_by_hand(costs: list[Decimal | None]) -> None:
    """All days at once give what the method gives day by day."""
    rows = [
        day(each, cost, 1, unknown=cost is None)
        for each, cost in zip(SPAN, costs, strict=False)
        if cost != 0
    ]
    found = unusual_days(agent_days(*rows), dates(SPAN[: len(costs)]), agents("a-1"))

    assert found["date"].to_list() == [SPAN[position] for position in by_hand(costs)]


def test_mart(warehouse: Warehouse) -> None:
    """The mart has the dates of the reporting time zone."""
    for each in span(date(2026, 11, 1), date(2026, 11, 19)):
        warehouse.given(
            "runs",
            run_id=str(each),
            created_at=f"{each} 20:00Z",
            cost_usd=9 if each.day == 18 else 2,
        )
    warehouse.insert(
        "ledger.requests", workspace_id="w-1", load_id="load-1", request=1, source="usage_hours",
        status=200, window_start="2026-10-30", window_end="2026-11-21",
    )  # fmt: skip
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-11-21 05:00Z'")

    warehouse.build("Asia/Tokyo")

    assert warehouse.rows("select agent_id, date, cost_usd, cause from marts.fct_unusual_days") == [
        ("a-1", date(2026, 11, 19), Decimal(9), "more_expensive_runs")
    ]
