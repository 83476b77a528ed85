"""Where the current month will end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from analytics.transform.forecasts import forecasts
from tests.transform.days import agent_days, agents, dates, day, span, workspaces
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
    """The forecast of a line, as of a day."""
    complete = SPAN if complete is None else complete
    lines = agents(*sorted({row[1] for row in rows} | {"a-1"}))
    known = {"w-1": (today, max(complete, default=None))}
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
        "low_95_usd": Decimal(60),
        "low_usd": Decimal(60),
        "expected_usd": Decimal(60),
        "high_usd": Decimal(60),
        "high_95_usd": Decimal(60),
        "days_left": 11,
        "basis_day_count": 80,
        "tested_month_count": 2,
        "test_count": 6,
        "hit_count": 6,
        "hit_95_count": 6,
        "hit_rate": None,
        "hit_95_rate": None,
        "mean_error_usd": Decimal(0),
        "incomplete_day_count": 0,
        "unknown_cost_count": 0,
        "unknown_platform_count": 0,
    }


def test_weekdays() -> None:
    """Each date left counts as its own weekday: here work days alone cost something."""
    made = forecast(*(day(each, 3) for each in SPAN if each.isoweekday() < 6))

    assert made["cost_to_date_usd"] == 3 * 14
    assert made["expected_usd"] == 3 * (14 + 7)
    assert made["low_usd"] == made["high_usd"] == made["expected_usd"]


def test_the_ranges() -> None:
    """The 95 % range holds the 80 % one, and both hold what is expected."""
    made = forecast(*(day(each, 2 + each.toordinal() % 5) for each in SPAN))
    names = ("low_95_usd", "low_usd", "expected_usd", "high_usd", "high_95_usd")
    amounts = [made[name] for name in names]

    assert made["cost_to_date_usd"] < amounts[0]
    assert amounts == sorted(set(amounts))


def test_too_little_history() -> None:
    """With fewer than 12 days there is no forecast; the cost to date stands."""
    complete = span(LAST - timedelta(days=10), LAST)
    made = forecast(*(day(each, 2) for each in complete), complete=complete)

    assert made["cost_to_date_usd"] == 22
    assert {made[name] for name in made if name.startswith(("low", "expected", "high"))} == {None}
    assert (made["basis_day_count"], made["days_left"]) == (11, 11)
    assert made["incomplete_day_count"] == 8


def test_what_began_today_has_no_history() -> None:
    """Nothing is expected of a line whose only cost is of today, nor of its workspace."""
    rows = [day(TODAY, 3)]
    assert forecast(*rows)["expected_usd"] is None
    assert forecast(*rows, agent="a-1")["high_95_usd"] is None
    assert forecast(*rows, *(day(each, 2) for each in SPAN))["expected_usd"] is not None


def test_low_is_never_below_the_cost_to_date() -> None:
    """However much days differ, the month has cost what it has."""
    made = forecast(*(day(each, 100 if each.day % 9 == 0 else 0) for each in SPAN))

    assert made["low_95_usd"] == made["cost_to_date_usd"] == 200


def test_a_month_ends_at_no_less_than_it_has() -> None:
    """What today has cost so far is in no history, and in every end of the range."""
    made = forecast(*(day(each, 10) for each in SPAN), day(TODAY, 5000))

    assert made["cost_to_date_usd"] == 190
    names = ("low_95_usd", "low_usd", "expected_usd", "high_usd", "high_95_usd")
    assert {made[name] for name in names} == {Decimal(5190)}


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
    assert some["basis_day_count"] == 65
    assert some["test_count"] == 0
    assert (none["cost_to_date_usd"], none["expected_usd"], none["low_usd"]) == (None, None, None)
    assert in_part["cost_to_date_usd"] == 38
    assert (in_part["expected_usd"], in_part["low_usd"]) == (None, None)


def test_days_of_an_unknown_platform() -> None:
    """A month counts its days that lack what the platform cost, up to the last complete one."""
    lines = [day(each, 2) for each in SPAN]
    platform = [
        day(each, None if each >= date(2026, 11, 18) else 1, 0, agent="(platform)")
        for each in (*SPAN, TODAY)
    ]

    for agent, count in (("(platform)", 2), ("(all)", 2), ("a-1", 0)):
        made = forecast(*lines, *platform, agent=agent)
        assert (made["unknown_platform_count"], made["unknown_cost_count"]) == (count, 0)


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
    known = workspaces({"w-1": (TODAY, LAST)})
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
    """A month is forecast as of four of its days, from the 12th known day on."""
    complete = span(date(2026, 7, 1), date(2026, 9, 30))
    rows = [day(each, 9 if each == complete[-1] else 2) for each in complete]
    made = forecast(*rows, complete=complete, today=date(2026, 10, 1))

    assert made["tested_month_count"] == 3
    assert (made["test_count"], made["hit_count"], made["hit_95_count"]) == (10, 6, 6)
    assert made["mean_error_usd"] == Decimal("2.8")


def test_the_hit_rate_needs_six_months() -> None:
    """Shares of hits are told from the sixth tested month on."""
    told = {}
    for first in (date(2026, 4, 15), date(2026, 5, 15)):
        complete = span(first, LAST)
        made = forecast(*(day(each, 2) for each in complete), complete=complete)
        told[made["tested_month_count"]] = made["hit_rate"], made["hit_95_rate"]

    assert told == {6: (1, 1), 5: (None, None)}


def test_workspaces_apart() -> None:
    """Each workspace has its own last batch and its own days."""
    rows = [day(each, 2) for each in SPAN] + [day(each, 5, workspace="w-2") for each in SPAN]
    known = {
        "w-1": (TODAY, LAST),
        "w-2": (date(2026, 10, 11), date(2026, 10, 10)),
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


def test_the_month_is_that_of_pages(warehouse: Warehouse) -> None:
    """Today is computed once, by DuckDB, whose data of time zones differ from those of Polars."""
    last_batch = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    warehouse.execute("update ledger.workspaces set last_batch_at = ?", last_batch)
    warehouse.build("Africa/Casablanca")

    assert warehouse.row("select max(month) from marts.fct_forecasts") == warehouse.row(
        "select date_trunc('month', max(today))::date from reports.rpt_calendars"
    )
