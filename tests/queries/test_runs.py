"""stg_runs, int_runs and fct_runs: given versions of runs, what is told of each run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.transform.given import SEEN, WORKSPACE, Warehouse


def test_newest_version(warehouse: Warehouse) -> None:
    """A run is as its newest version says, and was first seen with its first."""
    later, latest = SEEN + timedelta(days=1), SEEN + timedelta(days=2)
    first = warehouse.given("runs", status="pending", cost_usd=None)
    second = warehouse.replaced(first, "runs", status="running", cost_usd="0.1", seen_at=later)
    warehouse.replaced(second, "runs", status="succeeded", cost_usd="0.25", seen_at=latest)
    warehouse.given("runs", run_id="r-2")

    warehouse.build()

    assert warehouse.rows(
        "select run_id, status, cost_usd, first_seen_at, last_changed_at from marts.fct_runs"
        " order by run_id"
    ) == [
        ("r-1", "succeeded", Decimal("0.25"), SEEN, latest),
        ("r-2", "succeeded", None, SEEN, SEEN),
    ]


def test_same_id_in_two_workspaces(warehouse: Warehouse) -> None:
    """Runs, failures and provisional runs of one workspace tell nothing of another's."""
    warehouse.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Other")
    warehouse.given("runs", status="failed", error="MemoryError")
    warehouse.given("runs", status="failed", workspace_id="w-2", error="KeyError: 1")
    warehouse.insert("ledger.provisional_runs", workspace_id="w-2", run_id="r-1")

    warehouse.build()

    assert warehouse.rows(
        "select workspace_id, error_class, is_final from marts.fct_runs order by 1"
    ) == [(WORKSPACE, "out_of_memory", True), ("w-2", "agent_code", False)]


def test_states(warehouse: Warehouse) -> None:
    """A run is final once nothing waits for it, an open one too; an unknown status is open."""
    for run_id, status in {
        "r-1": "pending",
        "r-2": "running",
        "r-3": "succeeded",
        "r-4": "failed",
        "r-5": "cancelled",
        "r-6": "paused_by_moon",
        "gone": "running",
        "waiting": "succeeded",
    }.items():
        warehouse.given("runs", run_id=run_id, status=status)
    for run_id in ("r-1", "r-2", "r-6", "waiting"):
        warehouse.insert("ledger.provisional_runs", workspace_id=WORKSPACE, run_id=run_id)

    warehouse.build()

    assert warehouse.rows(
        "select run_id, status, is_terminal, is_final from marts.fct_runs order by run_id"
    ) == [
        ("gone", "running", False, True),
        ("r-1", "pending", False, False),
        ("r-2", "running", False, False),
        ("r-3", "succeeded", True, True),
        ("r-4", "failed", True, True),
        ("r-5", "cancelled", True, True),
        ("r-6", "paused_by_moon", False, False),
        ("waiting", "succeeded", True, False),
    ]


def test_no_usage(warehouse: Warehouse) -> None:
    """A run has no usage if it succeeded at a cost of nothing; an unknown cost is not nothing."""
    cases = [
        ("succeeded", 0, 0, True),
        ("succeeded", 0, None, True),
        ("succeeded", None, 0, False),
        ("succeeded", 0, 1, False),
        ("succeeded", "0.0000000001", 0, False),
        ("failed", 0, 0, False),
        ("running", 0, 0, False),
    ]
    for number, (status, cost, tokens, _) in enumerate(cases):
        warehouse.given(
            "runs",
            run_id=f"r-{number}",
            status=status,
            cost_usd=cost,
            tokens_in=tokens,
            tokens_out=tokens,
        )

    warehouse.build()

    assert warehouse.rows("select has_no_usage from marts.fct_runs order by run_id") == [
        (has_no_usage,) for *_, has_no_usage in cases
    ]


def test_seconds(warehouse: Warehouse) -> None:
    """Waiting and working are told in seconds, and are null until they are over."""
    created = datetime(2026, 11, 19, 12, tzinfo=UTC)
    started = created + timedelta(milliseconds=1250)
    warehouse.given("runs", run_id="r-1", status="pending", created_at=created)
    warehouse.given("runs", run_id="r-2", created_at=created, started_at=started)
    warehouse.given(
        "runs",
        run_id="r-3",
        created_at=created,
        started_at=started,
        finished_at=started + timedelta(days=2, microseconds=100000),
    )

    warehouse.build()

    assert warehouse.rows(
        "select queue_seconds, duration_seconds from marts.fct_runs order by run_id"
    ) == [(None, None), (1.25, None), (1.25, 172800.1)]


@pytest.mark.parametrize(
    ("timezone", "days"),
    [
        ("UTC", {"2026-03-29 23:59:59.999999Z": "2026-03-29", "2026-03-30 00:00Z": "2026-03-30"}),
        # Clocks go forward in Berlin on 29 March at 01:00 UTC, and back on 25 October.
        (
            "Europe/Berlin",
            {
                "2026-03-28 22:59:59.999999Z": "2026-03-28",
                "2026-03-28 23:00:00Z": "2026-03-29",
                "2026-03-29 21:59:59Z": "2026-03-29",
                "2026-03-29 22:00:00Z": "2026-03-30",
                "2026-10-25 22:59:59Z": "2026-10-25",
                "2026-10-25 23:00:00Z": "2026-10-26",
            },
        ),
        ("America/Los_Angeles", {"2026-11-01 06:59:59Z": "2026-10-31"}),
        ("Pacific/Kiritimati", {"2026-12-31 10:00:00Z": "2027-01-01"}),
        ("Asia/Kathmandu", {"2026-11-19 18:15:00Z": "2026-11-20"}),
    ],
)
def test_reporting_day(warehouse: Warehouse, timezone: str, days: dict[str, str]) -> None:
    """A run's date is the day of its creation in the reporting time zone, in summer too."""
    for created_at in days:
        warehouse.given("runs", run_id=created_at, created_at=created_at)

    warehouse.build(timezone)

    assert dict(warehouse.rows("select run_id, date::varchar from marts.fct_runs")) == days
    assert warehouse.rows("select distinct date from marts.fct_agent_days order by 1") == (
        warehouse.rows("select distinct date from marts.fct_runs order by 1")
    )


def test_error_class(warehouse: Warehouse) -> None:
    """Only a failed run has an error class, also where another one has an error text."""
    warehouse.given("runs", run_id="r-1", status="failed", error="TimeoutError: <b>🍞</b>")
    warehouse.given("runs", run_id="r-2", status="failed", error=None)
    warehouse.given("runs", run_id="r-3", status="cancelled", error="TimeoutError: x")

    warehouse.build()

    assert warehouse.rows(
        "select error_class, error_message from marts.fct_runs order by run_id"
    ) == [
        ("time_limit", "TimeoutError: <b>🍞</b>"),
        ("unknown", None),
        (None, "TimeoutError: x"),
    ]


def test_types(warehouse: Warehouse) -> None:
    """Money is DECIMAL, counts are BIGINT, instants are TIMESTAMPTZ, in sums too."""
    warehouse.build_all()

    types = set(
        warehouse.rows(
            "select"
            " regexp_extract(column_name, '_usd$|^tokens_(in|out)$|_at$|_count$|^date$|^month$'),"
            " data_type from duckdb_columns() where schema_name in ('marts', 'audit', 'reports')"
        )
    )
    assert {pair for pair in types if pair[0]} == {
        ("_usd", "DECIMAL(18,10)"),
        ("_usd", "DECIMAL(38,10)"),
        ("tokens_in", "BIGINT"),
        ("tokens_out", "BIGINT"),
        ("_at", "TIMESTAMP WITH TIME ZONE"),
        ("_count", "BIGINT"),
        ("date", "DATE"),
        ("month", "DATE"),
    }
    assert "HUGEINT" not in {data_type for _, data_type in types}


def test_trigger_type(warehouse: Warehouse) -> None:
    """A run's start is told, once, where schedules, parent or session tell it; else unknown."""
    hour = timedelta(hours=1)
    warehouse.given("runs", run_id="by-clock", session_id="s-1", created_at=SEEN)
    warehouse.given("runs", run_id="by-message", session_id="s-1", created_at=SEEN + hour)
    warehouse.given("runs", run_id="by-run", parent_run_id="by-clock", session_id="s-2")
    warehouse.given("runs", run_id="alone", session_id="s-3")
    warehouse.given("runs", run_id="no-session", session_id=None)
    first = warehouse.given("schedules", last_run_id="by-clock")
    warehouse.replaced(first, "schedules", last_run_id="later-run")
    warehouse.given("schedules", schedule_id="sc-2", last_run_id="by-clock")

    warehouse.build()

    assert warehouse.rows("select run_id, trigger_type from marts.fct_runs order by run_id") == [
        ("alone", "unknown"),
        ("by-clock", "schedule"),
        ("by-message", "session"),
        ("by-run", "parent"),
        ("no-session", "unknown"),
    ]
