"""Runs that no list ever showed: counted, with their cost, and apart from listed ones."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from analytics.emulator.records import Workspace
from analytics.emulator.world import World
from tests.batches import Published, run_batch, run_batch_unseen
from tests.conftest import Batch
from tests.scenarios.conftest import Burst

YESTERDAY, TODAY = date(2026, 11, 20), date(2026, 11, 21)
UNLISTED = "date run_count listed_run_count unlisted_run_count unlisted_cost_usd"


def unlisted_days(published: Published) -> list[tuple[Any, ...]]:
    """The agent's days with unlisted runs."""
    return [row for row in published.rows("fct_agent_days", UNLISTED) if row[3]]


def test_unlisted_runs_without_an_agent(
    batch: Batch, world: World, workspace: Workspace, burst: Burst
) -> None:
    """Given 7 runs of no agent where 5 are listed, the cost of the 2 is unexplained.

    The API has neither a count nor a roll-up of runs without an agent.
    """
    run_batch_unseen(batch)
    burst(7, of=workspace, hours_ago=-6, cost="1.25")
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    assert published.rows("fct_agent_days", "agent_name date run_count cost_usd") == [
        ("No agent", YESTERDAY, 5, Decimal("6.25"))
    ]
    assert unlisted_days(published) == []
    assert published.rows("int_reconciliation_agents", "utc_date agent_id unexplained_usd") == [
        (YESTERDAY, "(platform)", Decimal("2.5"))
    ]
    assert {
        row["utc_date"]: row["unexplained_usd"]
        for row in published["reconciliation_days"]
        if row["unexplained_usd"]
    } == {YESTERDAY: Decimal("2.5")}


def test_unlisted_runs_of_days_that_a_longer_history_adds(batch: Batch, burst: Burst) -> None:
    """Given a history that is made longer later, unlisted runs of its new days are found."""
    batch.set_extract(history_days=3)
    burst(8, hours_ago=24 * 5, cost="1")
    run_batch_unseen(batch)
    batch.set_extract(history_days=10)

    published = run_batch(batch)

    added = date(2026, 11, 15)
    assert unlisted_days(published) == [(added, 8, 5, 3, Decimal(3))]
    assert published.findings == []
