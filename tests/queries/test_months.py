"""The month as finance books it, whether it is closed, and how often a batch must run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics.transform.checks import run_checks
from tests.transform.given import WORKSPACE, Warehouse

NOVEMBER = date(2026, 11, 1)
SOURCES = ("usage_hours", "run_counts", "agent_billing_days")


def read(
    warehouse: Warehouse, batch: str, first: str = "2026-10-20", last: str = "2026-12-20"
) -> None:
    """A batch (`2026-12-05 05:00Z`) that has read the meters of those days."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = ?", [batch])
    for request, source in enumerate(SOURCES):
        warehouse.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=request,
            source=source, agent_id="a-1", status=200, window_start=first, window_end=last,
        )  # fmt: skip


def lines(warehouse: Warehouse, *columns: str) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        f"select {', '.join(columns)} from marts.fct_agent_months"
        " where month = '2026-11-01' order by line_type, agent_name"
    )


@pytest.mark.parametrize(
    ("created_at", "month"),
    [
        ("2026-11-01 03:59:59.999999Z", "2026-10-01"),
        ("2026-11-01 04:00:00Z", "2026-11-01"),
        ("2026-12-01 04:59:59.999999Z", "2026-11-01"),
        ("2026-12-01 05:00:00Z", "2026-12-01"),
    ],
)
def test_edges_of_a_month(warehouse: Warehouse, created_at: str, month: str) -> None:
    """A month begins in summer time and ends in winter time, each at its own midnight."""
    warehouse.given("runs", created_at=created_at, cost_usd=1)
    read(warehouse, "2026-12-05 05:00Z")

    warehouse.build("America/New_York")

    assert warehouse.rows("select month::varchar, cost_usd from marts.fct_agent_months") == [
        (month, Decimal(1))
    ]


def test_lines_of_a_month(warehouse: Warehouse) -> None:
    """Agents, runs without one and the platform stand apart; what the API does not bill is null."""
    warehouse.given("runs", cost_usd="1.0000000001")
    warehouse.given("runs", run_id="r-2", agent_id=None, cost_usd=2, status="failed")
    warehouse.given("platform_rollups", run_count=3, cost_usd="0.5")
    warehouse.given("agent_billing_days", agent_id="a-1", cost_usd="1.1", billed_usd="0.3")
    warehouse.given("agent_billing_days", agent_id=None, cost_usd="2.5", billed_usd="0.1")
    read(warehouse, "2026-12-05 05:00Z")

    warehouse.build()

    assert lines(
        warehouse, "line_type", "agent_name", "run_count", "failed_count", "cost_usd",
        "metered_cost_usd", "billed_usd", "surcharge_usd", "own_key_usd", "adjusted_cost_usd",
    ) == [
        ("agent", "a-1", 1, 0, Decimal("1.0000000001"), Decimal("1.1"), Decimal("0.3"),
         Decimal("-0.8"), 0, 0),
        ("no_agent", "No agent", 1, 1, 2, None, None, None, None, 0),
        ("platform", "Platform", 0, 0, Decimal("0.5"), Decimal("2.5"), Decimal("0.1"),
         Decimal("-2.4"), 0, 0),
    ]  # fmt: skip
    assert warehouse.row(
        "select run_count, cost_usd, platform_cost_usd, metered_cost_usd, billed_usd, surcharge_usd"
        " from marts.fct_workspace_months"
    ) == tuple(map(Decimal, ("2", "3.5000000001", "0.5", "3.6", "0.4", "-3.2")))


def test_unknown_is_no_zero(warehouse: Warehouse) -> None:
    """Listed and unlisted runs and bills of unknown amount give null, and are counted."""
    warehouse.given("runs", cost_usd=None)
    warehouse.given("run_counts", run_count=3)
    warehouse.given("agent_billing_days", cost_usd=None, billed_usd=None)
    read(warehouse, "2026-12-05 05:00Z")

    warehouse.build()

    assert lines(
        warehouse, "cost_usd", "unknown_cost_count", "unlisted_run_count", "listed_cost_usd",
        "unlisted_cost_usd", "billed_usd",
    ) == [(None, 3, 2, None, None, None)]  # fmt: skip


def test_an_agent_that_was_billed_nothing(warehouse: Warehouse) -> None:
    """An agent that is not in a bill that was read was billed 0; without a bill it is unknown."""
    warehouse.given("runs", cost_usd=1)
    read(warehouse, "2026-12-05 05:00Z")
    warehouse.build()
    known = lines(warehouse, "billed_usd")
    warehouse.con.execute("delete from ledger.requests")
    warehouse.build()

    assert (known, lines(warehouse, "billed_usd")) == ([(Decimal(0),)], [(None,)])


def test_a_month_of_unlisted_runs_alone(warehouse: Warehouse) -> None:
    """An agent of which no run was listed has a line with all that the API reports of it."""
    warehouse.given("run_counts", run_count=7)
    warehouse.given(
        "agent_rollups", run_count=7, cost_usd="12345678.0000000001", tokens_in=9, tokens_out=1
    )
    read(warehouse, "2026-12-05 05:00Z")

    warehouse.build()

    assert lines(
        warehouse, "run_count", "listed_run_count", "failed_count", "failure_rate", "cost_usd",
        "tokens_in", "listed_cost_usd",
    ) == [(7, 0, 0, 0.0, Decimal("12345678.0000000001"), 9, 0)]  # fmt: skip
    assert all(each.ok for each in run_checks(warehouse.con) if not each.control)


def test_the_last_complete_date(warehouse: Warehouse) -> None:
    """The last complete day is the one before that of the last batch, in the reports' time zone."""
    read(warehouse, "2026-11-21 04:30Z")

    warehouse.build("America/New_York")

    assert warehouse.row("select last_complete_date from marts.dim_workspaces") == (
        date(2026, 11, 19),
    )


@pytest.mark.parametrize(
    ("batch", "first", "timezone", "status"),
    [
        ("2026-11-30 23:59Z", "2026-10-20", "UTC", "open"),
        ("2026-12-09 00:00Z", "2026-10-20", "UTC", "final"),
        ("2026-12-01 04:59Z", "2026-10-20", "America/New_York", "open"),
        ("2026-11-30 23:30Z", "2026-10-20", "Europe/Berlin", "open"),
        ("2026-12-09 00:00Z", "2026-11-02", "UTC", "incomplete"),
        (None, "2026-10-20", "UTC", None),
    ],
)
def test_when_a_month_is_final(
    warehouse: Warehouse, batch: str | None, first: str, timezone: str, status: str | None
) -> None:
    """A month is final when it is over, in its time zone and in UTC, and was read as a whole."""
    if batch:
        read(warehouse, batch, first)

    warehouse.build(timezone)

    assert warehouse.rows("select status from marts.dim_months where month = ?", NOVEMBER) == (
        [(status,)] if status else []
    )


@pytest.mark.parametrize(
    ("first", "timezone", "is_complete"),
    [("2026-11-01", "UTC", True), ("2026-11-01", "Europe/Berlin", False),
     ("2026-10-31", "Europe/Berlin", True), ("2026-11-02", "UTC", False)],
)  # fmt: skip
def test_when_a_month_is_complete(
    warehouse: Warehouse, first: str, timezone: str, *, is_complete: bool
) -> None:
    """A month is complete when each of its dates is: its first day may begin the UTC day before."""
    read(warehouse, "2026-12-09 00:00Z", first)

    warehouse.build(timezone)

    assert warehouse.rows("select is_complete from marts.dim_months where month = ?", NOVEMBER) == [
        (is_complete,)
    ]


@pytest.mark.parametrize(
    ("status", "is_provisional", "expected"),
    [
        ("running", True, ("open", 1, 0)),
        ("succeeded", True, ("open", 0, 1)),
        ("running", False, ("final", 0, 0)),
    ],
)
def test_a_month_is_open_while_a_run_of_it_may_change(
    warehouse: Warehouse, status: str, expected: tuple[str, int, int], *, is_provisional: bool
) -> None:
    """A run that is open or may be corrected keeps its month open, but none that is given up."""
    read(warehouse, "2026-12-20 00:00Z", first="2026-11-01")
    if is_provisional:
        warehouse.insert("ledger.provisional_runs", workspace_id=WORKSPACE, run_id="r-1")
    warehouse.given("runs", cost_usd=1, status=status)

    warehouse.build()

    assert (
        warehouse.row(
            "select status, open_count, provisional_count from marts.dim_months where month = ?",
            NOVEMBER,
        )
        == expected
    )


def test_pace_of_a_list(warehouse: Warehouse) -> None:
    """The shortest time for 200 runs gives how many batches a day would miss none."""
    first = datetime(2026, 11, 18, tzinfo=UTC)
    for number in range(400):
        minutes = 10 * number if number < 200 else 2000 + 3 * (number - 200)
        created = first + timedelta(minutes=minutes)
        warehouse.given("runs", run_id=f"r-{number}", created_at=created)
    read(warehouse, "2026-11-21 05:00Z")

    warehouse.build()

    assert warehouse.row(
        "select shortest_span_seconds, required_batches_per_day from audit.list_coverage"
    ) == (199 * 3 * 60, 3)


@pytest.mark.parametrize(
    ("counted", "interval"), [(5000, 1200), (200_000, 30), (8_640_000, 1), (9_000_000, None)]
)
def test_interval_of_collections(warehouse: Warehouse, counted: int, interval: int | None) -> None:
    """Lists are collected at the longest interval for cron that is at most half a list's span."""
    warehouse.given("run_counts", run_count=counted)
    read(warehouse, "2026-11-21 05:00Z")

    warehouse.build()

    assert warehouse.row("select collection_interval_seconds from audit.list_coverage") == (
        interval,
    )


@pytest.mark.parametrize(("counted", "batches"), [(150, 1), (199, 1), (200, 2), (5000, 26)])
def test_pace_of_runs_never_seen(warehouse: Warehouse, counted: int, batches: int) -> None:
    """Where too few runs were seen in a row, the count of the busiest day tells the pace."""
    warehouse.given("run_counts", run_count=counted)
    read(warehouse, "2026-11-21 05:00Z")

    warehouse.build()

    assert warehouse.row(
        "select busiest_day_run_count, required_batches_per_day from audit.list_coverage"
    ) == (counted, batches)


def test_pace_of_a_burst_that_was_missed(warehouse: Warehouse) -> None:
    """Runs that are not listed came as the hours' shares of model requests have it."""
    warehouse.given("run_counts", run_count=1000)
    for hour, request_count in (("09", 800), ("15", 200)):
        warehouse.given(
            "usage_hours", agent_id="a-1", hour=f"2026-11-19 {hour}:00Z",
            request_count=request_count,
        )  # fmt: skip
    read(warehouse, "2026-11-21 05:00Z")

    warehouse.build()

    assert warehouse.row(
        "select shortest_span_seconds, required_batches_per_day, collection_interval_seconds"
        " from audit.list_coverage"
    ) == (900, 97, 360)


def test_pace_without_an_answer(warehouse: Warehouse) -> None:
    """Where 200 runs came at one instant no pace is enough: null."""
    for number in range(200):
        warehouse.given("runs", run_id=f"r-{number}")
    read(warehouse, "2026-11-21 05:00Z")

    warehouse.build()

    assert warehouse.row(
        "select shortest_span_seconds, required_batches_per_day, collection_interval_seconds"
        " from audit.list_coverage"
    ) == (0, None, None)
