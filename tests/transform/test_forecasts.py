"""Where the current month will end."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import sqrt
from statistics import fmean
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.transform.forecasts import forecasts
from tests.transform.days import agent_days, agents, dates, day, morning_of, span, workspaces
from tests.transform.given import Warehouse

TODAY = date(2026, 11, 20)
LAST = date(2026, 11, 19)
MONTH = date(2026, 11, 1)
SPAN = span(date(2026, 9, 1), LAST)


def forecast(
    *rows: tuple[Any, ...],
    complete: list[date] | None = None,
    today: date = TODAY,
    agent: str = "(all)",
) -> dict[str, Any]:
    """The forecast of a line, as of the morning of a day."""
    complete = SPAN if complete is None else complete
    lines = agents(*sorted({row[1] for row in rows} | {"a-1"}))
    known = {"w-1": (morning_of(today), max(complete, default=None))}
    made = forecasts(agent_days(*rows), dates(complete), lines, workspaces(known))
    (found,) = made.filter(agent_id=agent).iter_rows(named=True)
    return found


def test_every_day_the_same() -> None:
    """Where days do not differ the range is a point."""
    assert forecast(*(day(each, 2) for each in SPAN)) == {
        "workspace_id": "w-1",
        "agent_id": "(all)",
        "month": MONTH,
        "cost_to_date_usd": Decimal(38),
        "low_usd": Decimal(60),
        "expected_usd": Decimal(60),
        "high_usd": Decimal(60),
        "days_left": 11,
        "basis": "weekdays",
        "basis_day_count": 56,
        "tested_month_count": 2,
        "hit_month_count": 2,
        "incomplete_day_count": 0,
        "unknown_cost_count": 0,
    }


def test_weekdays() -> None:
    """Each date left counts as its own weekday: here work days alone cost something."""
    made = forecast(*(day(each, 3) for each in SPAN if each.isoweekday() < 6))

    assert made["cost_to_date_usd"] == 3 * 14
    assert made["expected_usd"] == 3 * (14 + 7)
    assert made["low_usd"] == made["high_usd"] == made["expected_usd"]


def test_fewer_than_four_weeks() -> None:
    """With fewer than 28 days the mean of all stands for each."""
    complete = span(LAST - timedelta(days=26), LAST)
    made = forecast(*(day(each, each.toordinal() % 2) for each in complete), complete=complete)

    assert made["basis"] == "days"
    assert made["basis_day_count"] == 27
    mean = sum(each.toordinal() % 2 for each in complete) / 27
    assert made["expected_usd"] - made["cost_to_date_usd"] == pytest.approx(
        Decimal(11 * mean), abs=Decimal("1e-9")
    )
    assert made["low_usd"] < made["expected_usd"] < made["high_usd"]


def test_too_little_history() -> None:
    """With fewer than 14 days there is no forecast; the cost to date stands."""
    complete = span(LAST - timedelta(days=12), LAST)
    made = forecast(*(day(each, 2) for each in complete), complete=complete)

    assert made["cost_to_date_usd"] == 26
    assert (made["low_usd"], made["expected_usd"], made["high_usd"]) == (None, None, None)
    assert (made["basis"], made["basis_day_count"], made["days_left"]) == (None, 13, 11)
    assert made["incomplete_day_count"] == 6


def test_low_is_never_below_the_cost_to_date() -> None:
    """However much days differ, the month has cost what it has."""
    made = forecast(*(day(each, 100 if each.day % 9 == 0 else 0) for each in SPAN))

    assert made["low_usd"] == made["cost_to_date_usd"] == 200


def test_unknown_is_not_zero() -> None:
    """Days of unknown cost do not count; where nothing is known there is no figure."""
    some = forecast(
        *(day(each, None, unknown=1) if each.day % 5 == 0 else day(each, 2) for each in SPAN)
    )
    none = forecast(*(day(each, None, unknown=1) for each in SPAN))
    in_part = forecast(*(day(each, 2, unlisted=None, unknown=3) for each in SPAN))

    assert some["cost_to_date_usd"] == 2 * 16
    assert some["expected_usd"] == 2 * (16 + 11)
    assert some["unknown_cost_count"] == 3
    assert some["basis_day_count"] < 56
    assert some["tested_month_count"] == 0
    assert (none["cost_to_date_usd"], none["expected_usd"], none["low_usd"]) == (None, None, None)
    assert in_part["cost_to_date_usd"] == 38
    assert (in_part["expected_usd"], in_part["low_usd"]) == (None, None)


def test_of_what_is_known_elsewhere() -> None:
    """A workspace has no day of known cost on which one of its lines has not."""
    rows = [day(each, 2) for each in SPAN]
    rows += [day(each, 1, unlisted=None, unknown=1, agent="a-2") for each in SPAN]

    assert forecast(*rows, agent="a-1")["expected_usd"] == 60
    assert forecast(*rows)["expected_usd"] is None
    assert forecast(*rows)["cost_to_date_usd"] == 57


def test_lines_add_up() -> None:
    """Every line has a row, also one without runs, and what is expected adds up to the whole."""
    rows = [day(each, each.day % 7, agent="a-1") for each in SPAN]
    rows += [day(each, each.day % 3, 0, agent="(platform)") for each in SPAN]
    known = workspaces({"w-1": (morning_of(TODAY), LAST)})
    lines = agents("a-1", "a-2", "(none)", "(platform)")
    made = forecasts(agent_days(*rows), dates(SPAN), lines, known)

    amounts = dict(made.select("agent_id", "expected_usd").iter_rows())
    assert list(amounts) == ["(all)", "(none)", "(platform)", "a-1", "a-2"]
    assert amounts["a-2"] == amounts["(none)"] == 0
    assert amounts["(all)"] == pytest.approx(
        amounts["a-1"] + amounts["(platform)"], abs=Decimal("3e-10")
    )


@pytest.mark.parametrize(
    ("today", "last", "to_date", "left"),
    [
        (date(2026, 11, 1), date(2026, 10, 31), 0, 30),
        (date(2026, 11, 2), date(2026, 11, 1), 2, 29),
        (date(2026, 11, 30), date(2026, 11, 29), 58, 1),
        (date(2026, 11, 1), date(2026, 10, 30), 0, 30),  # east of UTC, whose day is not over
        (date(2026, 11, 2), date(2026, 10, 31), 0, 30),
    ],
)
def test_ends_of_a_month(today: date, last: date, to_date: int, left: int) -> None:
    """The month is that of the last batch; dates after the last complete one are estimated."""
    complete = span(SPAN[0], last)
    made = forecast(*(day(each, 2) for each in complete), complete=complete, today=today)

    assert made["month"] == MONTH
    assert (made["cost_to_date_usd"], made["days_left"]) == (to_date, left)
    assert made["expected_usd"] == 60


def test_tested_months() -> None:
    """A month whose cost left the range made on its 20th day is no hit: here September."""
    complete = span(date(2026, 7, 1), LAST)
    before = [each for each in complete if each < date(2026, 10, 1)]
    rows = [day(each, 9 if each >= date(2026, 9, 20) else 2) for each in before]
    made = forecast(*rows, complete=before, today=date(2026, 10, 1))
    on_the_20th = forecast(*rows, complete=before, today=date(2026, 10, 20))

    assert (made["tested_month_count"], made["hit_month_count"]) == (2, 1)
    assert (on_the_20th["tested_month_count"], on_the_20th["hit_month_count"]) == (3, 2)


def test_workspaces_apart() -> None:
    """Each workspace has its own last batch and its own days."""
    rows = [day(each, 2) for each in SPAN] + [day(each, 5, workspace="w-2") for each in SPAN]
    known = {
        "w-1": (morning_of(TODAY), LAST),
        "w-2": (morning_of(date(2026, 10, 11)), date(2026, 10, 10)),
        "w-3": (None, None),
    }
    made = forecasts(
        agent_days(*rows),
        pl.concat([dates(SPAN), dates(span(SPAN[0], date(2026, 10, 10)), "w-2")]),
        pl.concat([agents("a-1"), agents("a-1", workspace="w-2"), agents(workspace="w-3")]),
        workspaces(known),
    )

    assert made.filter(agent_id="(all)").select("workspace_id", "month", "expected_usd").rows() == [
        ("w-1", MONTH, 60),
        ("w-2", date(2026, 10, 1), 155),
    ]


def test_empty() -> None:
    """No workspace gives no row; one without runs or complete dates has no forecast."""
    nothing = forecasts(agent_days(), dates([]), agents(), workspaces({}))
    no_batch = forecasts(agent_days(), dates([]), agents("a-1"), workspaces({"w-1": (None, None)}))
    made = forecast(complete=[])

    assert nothing.is_empty()
    assert no_batch.is_empty()
    assert nothing.columns == list(made)
    assert (made["cost_to_date_usd"], made["expected_usd"], made["days_left"]) == (0, None, 11)
    assert forecast(day(LAST, 3), complete=[LAST])["cost_to_date_usd"] == 3


def by_hand(costs: dict[date, Decimal | None]) -> tuple[float, float] | None:
    """The method in plain Python: the rest of the month, and half the width of the range."""
    basis = [
        (each, float(cost))
        for offset in range(1, 57)
        if (cost := costs.get(each := TODAY - timedelta(days=offset))) is not None
    ]
    if len(basis) < 14:
        return None
    by_weekday = len(basis) >= 28
    groups: defaultdict[int, list[float]] = defaultdict(list)
    for each, cost in basis:
        groups[each.weekday() if by_weekday else 0].append(cost)
    errors = sum((cost - fmean(group)) ** 2 for group in groups.values() for cost in group)
    variance = errors / max(1, len(basis) - len(groups))
    ahead: defaultdict[int, int] = defaultdict(int)
    for each in span(TODAY, date(2026, 11, 30)):
        ahead[each.weekday() if by_weekday else 0] += 1
    rest = sum(n * fmean(groups[group]) for group, n in ahead.items() if groups[group])
    width = sum(n + n**2 / max(1, len(groups[group])) for group, n in ahead.items())
    return rest, 1.2815515655446004 * sqrt(variance * width)


@settings(deadline=None, max_examples=60)  # the machine may be busy
@given(st.lists(st.one_of(st.none(), st.decimals(0, 10**5, places=10)), max_size=80))
def test_same_as_by_hand(costs: list[Decimal | None]) -> None:
    """The frame gives what the method gives in plain Python, to the last digits of a float."""
    complete = span(TODAY - timedelta(days=len(costs)), LAST) if costs else []
    known = dict(zip(complete, costs, strict=True))
    rows = [day(each, cost, unknown=cost is None) for each, cost in known.items()]
    made, expected = forecast(*rows, complete=complete), by_hand(known)

    to_date = made["cost_to_date_usd"]
    if expected is None or to_date is None:
        assert made["expected_usd"] is None
        return
    rest, spread = expected
    assert float(made["expected_usd"] - to_date) == pytest.approx(rest, rel=1e-9, abs=1e-6)
    assert float(made["high_usd"] - made["expected_usd"]) == pytest.approx(
        spread, rel=1e-9, abs=1e-6
    )
    assert made["low_usd"] == max(to_date, 2 * made["expected_usd"] - made["high_usd"])


def test_mart(warehouse: Warehouse) -> None:
    """The month is that of the reporting time zone, for every line of dim_agents."""
    for each in span(date(2026, 10, 20), date(2026, 11, 29)):
        warehouse.given("runs", run_id=str(each), created_at=f"{each} 12:00Z", cost_usd=2)
    warehouse.insert(
        "ledger.requests", workspace_id="w-1", load_id="load-1", request=1, source="usage_hours",
        status=200, window_start="2026-10-01", window_end="2026-12-01",
    )  # fmt: skip
    last_batch = datetime(2026, 11, 30, 20, tzinfo=UTC)
    warehouse.con.execute("update ledger.workspaces set last_batch_at = ?", [last_batch])
    months = {}
    for timezone in ("UTC", "Asia/Tokyo"):
        warehouse.build(timezone)
        months[timezone] = warehouse.rows(
            "select agent_id, month::varchar, cost_to_date_usd, days_left from marts.fct_forecasts"
        )

    assert months["UTC"] == [
        ("(all)", "2026-11-01", 58, 1),
        ("(none)", "2026-11-01", 0, 1),
        ("(platform)", "2026-11-01", 0, 1),
        ("a-1", "2026-11-01", 58, 1),
    ]
    assert months["Asia/Tokyo"][0] == ("(all)", "2026-12-01", 0, 31)
