"""Counts and tokens in which two sources of the API differ: what stops publishing, what warns."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.queries.metered import (
    NOON,
    controls,
    details,
    metered,
    rolled_up,
    run,
)
from tests.transform.given import WORKSPACE, Warehouse

NEXT_DAY = date(2026, 11, 20)


def blocking_measures(warehouse: Warehouse, **thresholds: Any) -> set[tuple[str, str]]:
    """Control and measure of each row that stops publishing."""
    warehouse.build()
    return {
        (name, row["measure"])
        for name, each in controls(warehouse, **thresholds).items()
        for row in each.violations[: each.blocking_count]
    }


@pytest.mark.parametrize(
    ("counted", "listed", "percent", "blocks"),
    [
        (111, 100, 10, True),
        (111, 100, 11, False),
        (110, 100, 1, False),
        (1000, 1, 1, True),
        (2, 1, 1, False),
    ],
)
def test_run_counts_block_above_both_thresholds(
    read: Warehouse, counted: int, listed: int, percent: int, blocks: bool
) -> None:
    """A count that differs by more than 10 runs and the percentage stops publishing."""
    read.given("run_counts", run_count=counted)
    read.given("agent_rollups", run_count=listed, cost_usd=0)

    found = blocking_measures(read, percent=Decimal(percent))
    assert found == ({("run_counts_agree_with_the_roll_ups", "run_count")} if blocks else set())


@pytest.mark.parametrize(
    ("too_many", "blocks"),
    [
        ({"tokens_in": 1_000_101}, True),
        ({"tokens_in": 1_000_100}, False),
        ({"tokens_out": 10**15}, True),
    ],
)
def test_tokens_block_above_a_million(
    read: Warehouse, too_many: dict[str, int], blocks: bool
) -> None:
    """Tokens of a run that are over a million beyond those of its models stop publishing."""
    good = {"cost_usd": 2, "tokens_in": 100, "tokens_out": 10}
    times = {"started_at": NOON, "finished_at": NOON.replace(minute=1)}
    read.given("runs", **times, **(good | too_many))
    details(read, "r-1", **good, started_at=NOON, ended_at=NOON.replace(minute=1))
    rolled_up(read, 1)
    metered(read)

    (measure,) = too_many
    found = {("listed_runs_agree_with_their_model_costs", measure)} if blocks else set()
    assert blocking_measures(read) == found


@pytest.mark.parametrize(("requests", "blocks"), [(101, True), (100, False)])
def test_requests_block_above_a_hundred(read: Warehouse, requests: int, blocks: bool) -> None:
    """A provider's hours with over 100 requests more than its bill stop publishing."""
    run(read)
    rolled_up(read, 1)
    metered(read)
    read.con.execute("update raw.usage_hours set request_count = request_count + ?", [requests])

    found = {("hourly_usage_agrees_with_the_bill", "request_count")} if blocks else set()
    assert blocking_measures(read) == found


def test_tokens_used_after_midnight_never_block(read: Warehouse) -> None:
    """Of tokens that a roll-up lacks, those that late runs explain are no part of a difference."""
    ended = NOON + timedelta(days=1)
    run(read, tokens_in=5_000_000, finished_at=ended)
    rolled_up(read, 1, tokens_in=5_000_000)
    metered(read, tokens_in=1)
    metered(read, tokens_in=5_000_001, cost_usd=0, date=NEXT_DAY, hour=f"{NEXT_DAY} 03:00Z")

    assert blocking_measures(read) == set()
    assert "roll_ups_agree_with_the_hourly_meter" in controls(read)


def test_counts_of_a_day_that_is_not_closed_only_warn(read: Warehouse) -> None:
    """While a listed run of the day is provisional, a count that differs stops nothing."""
    run(read)
    read.given("run_counts", run_count=1000)
    read.given("agent_rollups", run_count=1, cost_usd=2, tokens_in=100, tokens_out=10)
    metered(read)
    read.insert("ledger.provisional_runs", workspace_id=WORKSPACE, run_id="r-1")

    assert blocking_measures(read) == set()
    assert "run_counts_agree_with_the_roll_ups" in controls(read)


def test_runs_that_were_open_when_counted_never_block(read: Warehouse) -> None:
    """A status has as many runs more than were counted as were open then, and one is too many."""
    for number in range(61):
        read.given("runs", run_id=f"r-{number}", cost_usd=0)
    for status, count in (("running", 50), ("failed", 1), ("succeeded", 10)):
        read.given("run_counts", run_count=count, status=status)
    read.given("agent_rollups", run_count=61, cost_usd=0)

    assert blocking_measures(read, percent=Decimal(0)) == set()
    (row,) = controls(read)["listed_days_agree_with_the_api"].violations
    assert (row["measure"], row["difference"]) == ("succeeded_count", 1)
