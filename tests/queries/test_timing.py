"""Timing differences: roll-ups against the hourly meter, within what crossed midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.queries.metered import (
    DAY,
    NOON,
    controls,
    metered,
    reconciled,
    rolled_up,
    run,
)
from tests.transform.given import WORKSPACE, Warehouse

NEXT_DAY = date(2026, 11, 20)


@pytest.mark.parametrize("measure", ["cost_usd", "tokens_in", "tokens_out"])
def test_a_roll_up_against_the_hourly_meter(read: Warehouse, measure: str) -> None:
    """A sum beyond what is metered and what may have crossed midnight is named."""
    read.given("run_counts", run_count=3)
    sums = {"cost_usd": 5, "tokens_in": 700, "tokens_out": 70}
    read.given("agent_rollups", run_count=3, seen_at=NOON + timedelta(1), **sums)
    of = {"date": "2026-11-20", "hour": "2026-11-20 12:00Z"}
    read.given("run_counts", run_count=1, date="2026-11-20")
    metered(read, **sums)
    metered(read, cost_usd=9, tokens_in=900, tokens_out=90, **of)
    reported = {"cost_usd": 9, "tokens_in": 900, "tokens_out": 90} | {measure: 1}
    read.given(
        "agent_rollups", run_count=1, date="2026-11-20", seen_at=NOON + timedelta(2), **reported
    )
    read.build()

    found = controls(read)
    assert found.keys() == {"roll_ups_agree_with_the_hourly_meter"}
    (violation,) = found["roll_ups_agree_with_the_hourly_meter"].violations
    assert (violation["utc_date"], violation["measure"]) == (NEXT_DAY, measure)
    assert violation["highest"] == {"cost_usd": 6, "tokens_in": 701, "tokens_out": 71}[measure]


def test_a_run_that_crossed_midnight(read: Warehouse) -> None:
    """Cost metered after midnight is a timing difference of both days, which sum to nothing."""
    late = NOON.replace(day=20, hour=1)
    run(read, cost_usd=3, finished_at=late)
    rolled_up(read, 1, cost_usd=3)
    metered(read, cost_usd=1, tokens_in=40, tokens_out=4)
    metered(
        read, cost_usd=2, tokens_in=60, tokens_out=6, date="2026-11-20", hour="2026-11-20 00:00Z"
    )
    read.build()

    assert read.rows(
        "select utc_date, timing_difference_usd, unexplained_usd, status"
        " from audit.reconciliation_days where timing_difference_usd <> 0 order by utc_date"
    ) == [(DAY, -2, 0, "reconciled"), (NEXT_DAY, 2, 0, "reconciled")]
    assert controls(read) == {}


def test_an_open_run_that_crossed_midnight(read: Warehouse) -> None:
    """A run that was first read days after its creation, and goes on, used its cost until then."""
    seen_at = NOON + timedelta(days=2)
    read.given(
        "runs", status="running", started_at=NOON, created_at=NOON, cost_usd=15, tokens_in=60,
        tokens_out=6, seen_at=seen_at,
    )  # fmt: skip
    read.insert("ledger.provisional_runs", workspace_id=WORKSPACE, run_id="r-1")
    read.given("run_counts", run_count=1, status="running", seen_at=seen_at)
    read.given(
        "agent_rollups", run_count=1, cost_usd=15, tokens_in=60, tokens_out=6, seen_at=seen_at
    )
    metered(
        read, cost_usd=15, tokens_in=60, tokens_out=6, date="2026-11-20", hour="2026-11-20 12:00Z"
    )
    read.build()

    assert reconciled(read, "timing_difference_usd", "unexplained_usd", day=NEXT_DAY) == (15, 0)
    assert controls(read) == {}


def test_a_timing_difference_is_bounded_by_the_runs_that_crossed(read: Warehouse) -> None:
    """More on the next day than the run that crossed midnight cost is unexplained, by the rest."""
    run(read, cost_usd=3, finished_at=NOON.replace(day=20, hour=1))
    rolled_up(read, 1, cost_usd=3)
    metered(read, cost_usd=1, tokens_in=40, tokens_out=4)
    metered(
        read, cost_usd=7, tokens_in=60, tokens_out=6, date="2026-11-20", hour="2026-11-20 00:00Z"
    )
    read.build()

    assert reconciled(read, "timing_difference_usd", "unexplained_usd", "status", day=NEXT_DAY) == (
        3,
        4,
        "unreconciled",
    )
    found = controls(read)
    assert found.keys() == {"roll_ups_agree_with_the_hourly_meter"}
    (violation,) = found["roll_ups_agree_with_the_hourly_meter"].violations
    assert (violation["utc_date"], violation["difference_usd"]) == (NEXT_DAY, 4)


def test_a_late_correction_is_metered_on_its_own_day(read: Warehouse) -> None:
    """A late correction is a timing difference of the run's day and of its own."""
    first = read.given("runs", cost_usd=2, tokens_in=0, tokens_out=0, finished_at=NOON)
    read.replaced(
        first, "runs", cost_usd="2.5", tokens_in=0, tokens_out=0, finished_at=NOON,
        seen_at=NOON + timedelta(4),
    )  # fmt: skip
    rolled_up(read, 1, cost_usd="2.5", tokens_in=0, tokens_out=0)
    metered(read, tokens_in=0, tokens_out=0)
    of = {"date": "2026-11-23", "hour": "2026-11-23 09:00Z"}
    metered(read, cost_usd="0.5", tokens_in=0, tokens_out=0, **of)
    read.build()

    assert read.rows(
        "select utc_date, timing_difference_usd, unexplained_usd from audit.reconciliation_days"
        " where timing_difference_usd <> 0 order by utc_date"
    ) == [(DAY, Decimal("-0.5"), 0), (date(2026, 11, 23), Decimal("0.5"), 0)]
    assert controls(read) == {}


def test_the_platform_against_usage_without_an_agent(read: Warehouse) -> None:
    """Usage that names no agent and that neither the platform nor a run explains is named."""
    read.given("platform_rollups", run_count=1, cost_usd=1)
    metered(read, agent_id=None, cost_usd="1.25")
    read.build()

    assert read.rows(
        "select agent_id, metered_cost_usd, platform_cost_usd, unexplained_usd"
        " from intermediate.int_reconciliation_agents"
    ) == [("(platform)", Decimal("1.25"), 1, Decimal("0.25"))]
    found = controls(read)
    assert found.keys() == {"usage_without_an_agent_agrees_with_the_platform"}


def test_a_platform_run_that_crossed_midnight(read: Warehouse) -> None:
    """What one day lacks and the next has too much of is a timing difference."""
    read.given("platform_rollups", run_count=1, cost_usd=1, tokens_in=120, tokens_out=30)
    metered(read, agent_id=None, cost_usd="0.25", tokens_in=100, tokens_out=30)
    metered(
        read, agent_id=None, cost_usd="0.75", tokens_in=20, tokens_out=0, date="2026-11-20",
        hour="2026-11-20 00:00Z",
    )  # fmt: skip
    read.build()

    assert reconciled(read, "timing_difference_usd", "unexplained_usd") == (Decimal("-0.75"), 0)
    assert controls(read) == {}


@pytest.mark.parametrize("measure", ["tokens_in", "tokens_out"])
def test_tokens_of_the_platform(read: Warehouse, measure: str) -> None:
    """Tokens of a known number that no hour without an agent has are named, on their day."""
    platform = {"tokens_in": 100, "tokens_out": 10} | {measure: 3}
    read.given("platform_rollups", run_count=1, cost_usd=2, **platform)
    of = {"date": "2026-11-20", "hour": "2026-11-20 12:00Z", "agent_id": None}
    read.given("platform_rollups", run_count=1, cost_usd=2, tokens_in=7, date="2026-11-20")
    metered(read, agent_id=None)
    metered(read, **of)
    read.build()

    found = controls(read)
    assert found.keys() == {"usage_without_an_agent_agrees_with_the_platform"}
    (violation,) = found["usage_without_an_agent_agrees_with_the_platform"].violations
    assert (violation["utc_date"], violation["measure"], violation["ours"]) == (DAY, measure, 3)


def test_a_run_that_takes_months(read: Warehouse) -> None:
    """What a run may use later is allowed on each day until it ends, and on none after it."""
    created, ended = datetime(2026, 8, 30, 22, tzinfo=UTC), datetime(2026, 11, 2, 1, tzinfo=UTC)
    run(read, cost_usd=3, created_at=created, finished_at=ended, seen_at=ended)
    before = ended - timedelta(1)
    run(
        read,
        "r-2",
        cost_usd=1,
        created_at=before - timedelta(1),
        finished_at=before,
        seen_at=before,
    )
    read.build()

    bounds = read.rows(
        "select utc_date, later_usd, earlier_usd, earlier_tokens_in"
        " from intermediate.int_timing_bounds order by utc_date"
    )
    days = [date(2026, 8, 30) + timedelta(number) for number in range(65)]
    assert [day for day, *_ in bounds] == days
    assert bounds[0][1:] == (3, 0, 0)
    assert {each[1:] for each in bounds[1:62]} == {(0, 3, 100)}
    assert [each[1:] for each in bounds[62:]] == [(1, 3, 100), (0, 4, 200), (0, 3, 100)]
