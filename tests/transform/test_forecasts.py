"""Where the current month will end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.transform.given import answered

WORKSPACE = "w-1"
USD = pl.Decimal(38, 10)
_COLUMNS: Mapping[str, Mapping[str, Any]] = {
    "marts.fct_agent_days": {
        "workspace_id": pl.String,
        "agent_id": pl.String,
        "date": pl.Date,
        "cost_usd": USD,
        "unlisted_cost_usd": USD,
        "unknown_cost_count": pl.Int64,
        "unknown_platform_count": pl.Int64,
    },
    "marts.dim_dates": {"workspace_id": pl.String, "date": pl.Date, "is_complete": pl.Boolean},
    "marts.dim_agents": dict.fromkeys(("workspace_id", "agent_id", "agent_name"), pl.String),
    "marts.dim_workspaces": {
        "workspace_id": pl.String,
        "last_batch_date": pl.Date,
        "last_complete_date": pl.Date,
    },
    "intermediate.int_budgets": {
        **dict.fromkeys(("scope", "name", "workspace_id"), pl.String),
        **dict.fromkeys(("month", "next_month", "first_date", "start", "today"), pl.Date),
        "lacks_workspace": pl.Boolean,
    },
    "intermediate.int_budget_days": {
        **dict.fromkeys(("scope", "name", "workspace_id"), pl.String),
        "utc_date": pl.Date,
        "actual_usd": USD,
    },
}


def span(first: date, last: date) -> list[date]:
    """Every date from the first to the last."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def day(
    on: date,
    cost: str | Decimal | int | None,
    *,
    agent: str = "a-1",
    workspace: str = WORKSPACE,
    unknown: int = 0,
    unlisted: str | None = "0",
) -> tuple[Any, ...]:
    """A row of fct_agent_days."""
    money = None if cost is None else Decimal(cost)
    unknown_days = int(agent == "(platform)" and cost is None)
    return workspace, agent, on, money, unlisted and Decimal(unlisted), unknown, unknown_days


def dates(complete: Iterable[date], workspace: str = WORKSPACE) -> list[tuple[Any, ...]]:
    """The complete dates of a workspace, and the one after them, on which the last batch ran."""
    complete = sorted(complete)
    last = [(workspace, each + timedelta(days=1), False) for each in complete[-1:]]
    return [*((workspace, each, True) for each in complete), *last]


def forecasts(*rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """The forecasts of agents' days, dates, agents and workspaces."""
    frames = {
        name: pl.DataFrame([*of], schema=columns, orient="row")
        for (name, columns), of in zip(_COLUMNS.items(), (*rows, (), ()), strict=True)
    }
    return answered("marts.fct_forecasts", frames, "intermediate.int_forecasts")


TODAY, LAST = date(2026, 11, 20), date(2026, 11, 19)
MONTH = date(2026, 11, 1)
SPAN = span(date(2026, 9, 1), LAST)
FLAT = [day(each, 2) for each in SPAN]
ENDS = ("low_95_usd", "low_usd", "expected_usd", "high_usd", "high_95_usd")


def forecast(
    *rows: tuple[Any, ...],
    complete: list[date] | None = None,
    today: date = TODAY,
    agent: str = "(all)",
) -> dict[str, Any]:
    """The forecast of a line, as of a day."""
    complete = SPAN if complete is None else complete
    lines = [(WORKSPACE, name, name) for name in {row[1] for row in rows} | {"a-1"}]
    known = [(WORKSPACE, today, max(complete, default=None))]
    made = forecasts(rows, dates(complete), lines, known)
    (found,) = (row for row in made if row["agent_id"] == agent)
    return found


def test_every_day_the_same() -> None:
    """Where days do not differ the range is a point."""
    amounts = {"cost_to_date_usd": Decimal(38), "mean_error_usd": Decimal(0)}
    counts = {
        "days_left": 11, "basis_day_count": 80, "tested_month_count": 2, "test_count": 6,
        "hit_count": 6, "hit_95_count": 6, "hit_rate": None, "hit_95_rate": None,
        "incomplete_day_count": 0, "unknown_cost_count": 0, "unknown_platform_count": 0,
    }  # fmt: skip
    scope = {"workspace_id": "w-1", "agent_id": "(all)", "agent_name": None, "month": MONTH}
    assert forecast(*FLAT) == scope | amounts | counts | dict.fromkeys(ENDS, Decimal(60))


def test_too_little_history() -> None:
    """With fewer than 12 days there is no forecast; the cost to date stands."""
    complete = span(LAST - timedelta(days=10), LAST)
    made = forecast(*(day(each, 2) for each in complete), complete=complete)

    assert made["cost_to_date_usd"] == 22
    assert {made[name] for name in ENDS} == {None}
    assert (made["basis_day_count"], made["days_left"]) == (11, 11)
    assert made["incomplete_day_count"] == 8


def test_what_began_today_has_no_history() -> None:
    """Nothing is expected of a line whose only cost is of today, nor of its workspace."""
    assert forecast(day(TODAY, 3))["expected_usd"] is None
    assert forecast(day(TODAY, 3), agent="a-1")["high_95_usd"] is None
    assert forecast(day(TODAY, 3), *FLAT)["expected_usd"] is not None


def test_a_month_ends_at_no_less_than_it_has() -> None:
    """However much days differ, it has cost what it has; what today has cost is in no history."""
    made = forecast(*(day(each, 100 if each.day % 9 == 0 else 0) for each in SPAN))
    assert made["low_95_usd"] == made["cost_to_date_usd"] == 200

    made = forecast(*(day(each, 10) for each in SPAN), day(TODAY, 5000))
    assert made["cost_to_date_usd"] == 5190
    assert {made[name] for name in ENDS} == {Decimal(5190)}


def test_unknown_is_not_zero() -> None:
    """Days of unknown cost do not count; where nothing is known there is no figure."""
    some = forecast(
        *(day(each, None, unknown=1) if each.day % 5 == 0 else day(each, 2) for each in SPAN)
    )
    none = forecast(*(day(each, None, unknown=1) for each in SPAN))
    in_part = forecast(*(day(each, 2, unlisted=None, unknown=3) for each in SPAN))

    assert (some["cost_to_date_usd"], some["expected_usd"]) == (2 * 16, 2 * (16 + 11))
    counts = ("unknown_cost_count", "basis_day_count", "test_count")
    assert [some[name] for name in counts] == [3, 65, 0]
    assert (none["cost_to_date_usd"], none["expected_usd"], none["low_usd"]) == (None, None, None)
    assert in_part["cost_to_date_usd"] == 38
    assert (in_part["expected_usd"], in_part["low_usd"]) == (None, None)


def test_days_of_an_unknown_platform() -> None:
    """A month counts its days that lack what the platform cost, up to the last complete one."""
    platform = [
        day(each, None if each >= date(2026, 11, 18) else 1, agent="(platform)")
        for each in (*SPAN, TODAY)
    ]

    for agent, count in (("(platform)", 2), ("(all)", 2), ("a-1", 0)):
        made = forecast(*FLAT, *platform, agent=agent)
        assert (made["unknown_platform_count"], made["unknown_cost_count"]) == (count, 0)


def test_of_what_is_known_elsewhere() -> None:
    """A workspace has no day of known cost on which one of its lines has not."""
    rows = [*FLAT, *(day(each, 1, unlisted=None, unknown=1, agent="a-2") for each in SPAN)]

    assert forecast(*rows, agent="a-1")["expected_usd"] == 60
    assert forecast(*rows)["expected_usd"] is None
    assert forecast(*rows)["cost_to_date_usd"] == 57


def test_lines_add_up() -> None:
    """Every line has a row, also one without runs, and what is expected adds up to the whole."""
    rows = [day(each, each.day % 7, agent="a-1") for each in SPAN]
    rows += [day(each, each.day % 3, agent="(platform)") for each in SPAN]
    lines = [(WORKSPACE, name, name) for name in ("a-1", "a-2", "(none)", "(platform)")]
    made = forecasts(rows, dates(SPAN), lines, [(WORKSPACE, TODAY, LAST)])

    amounts = {row["agent_id"]: row["expected_usd"] for row in made}
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

    assert (made["month"], made["expected_usd"]) == (MONTH, 60)
    assert (made["cost_to_date_usd"], made["days_left"]) == (to_date, left)


def test_tested_months() -> None:
    """A month is forecast as of four of its days, from the 12th known day on."""
    complete = span(date(2026, 7, 1), date(2026, 9, 30))
    rows = [day(each, 9 if each == complete[-1] else 2) for each in complete]
    made = forecast(*rows, complete=complete, today=date(2026, 10, 1))

    counts = ("tested_month_count", "test_count", "hit_count", "hit_95_count")
    assert [made[name] for name in counts] == [3, 10, 6, 6]
    assert made["mean_error_usd"] == Decimal("2.8")


@pytest.mark.parametrize(
    ("first", "months", "rate"), [(date(2026, 4, 15), 6, 1), (date(2026, 5, 15), 5, None)]
)
def test_the_hit_rate_needs_six_months(first: date, months: int, rate: int | None) -> None:
    """Shares of hits are told from the sixth tested month on."""
    complete = span(first, LAST)
    made = forecast(*(day(each, 2) for each in complete), complete=complete)

    assert made["tested_month_count"] == months
    assert (made["hit_rate"], made["hit_95_rate"]) == (rate, rate)


def test_workspaces_apart() -> None:
    """Each workspace has its own last batch and its own days; without a batch it has no row."""
    known = [
        (WORKSPACE, TODAY, LAST),
        ("w-2", date(2026, 10, 11), date(2026, 10, 10)),
        ("w-3", None, None),
    ]
    made = forecasts(
        [*FLAT, *(day(each, 5, workspace="w-2") for each in SPAN)],
        [*dates(SPAN), *dates(span(SPAN[0], date(2026, 10, 10)), "w-2")],
        [(workspace, "a-1", "a-1") for workspace, *_ in known],
        known,
    )

    whole = [row for row in made if row["agent_id"] == "(all)"]
    assert [(row["workspace_id"], row["month"], row["expected_usd"]) for row in whole] == [
        (WORKSPACE, MONTH, 60),
        ("w-2", date(2026, 10, 1), 155),
    ]


def test_empty() -> None:
    """No workspace gives no row; one without runs or complete dates has no forecast."""
    made = forecast(complete=[])

    assert forecasts((), (), (), ()) == []
    assert (made["cost_to_date_usd"], made["expected_usd"], made["days_left"]) == (0, None, 11)
    assert forecast(day(LAST, 3), complete=[LAST])["cost_to_date_usd"] == 3
