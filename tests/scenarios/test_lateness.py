"""Late records: each version is kept, and a change after publication is an adjustment."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.batch.healing import load_all
from analytics.batch.progress import Progress
from analytics.emulator.records import Agent, Workspace
from analytics.emulator.world import World
from analytics.warehouse.database import open_warehouse
from analytics.warehouse.layout import Layout
from tests.batches import Batch, publish, read, run_batch
from tests.worlds import StartRun, give_run

DAY = date(2026, 11, 19)


@pytest.mark.parametrize("was_read_before", [True, False])
def test_a_refund(
    batch: Batch, world: World, start_run: StartRun, *, was_read_before: bool
) -> None:
    """Given a run that is paid back days later, it costs nothing, and every control agrees."""
    start_run(hours_ago=90, cost="1")
    run = start_run(hours_ago=10, cost="25", status="failed", error="ToolError: oven")
    if was_read_before:
        read(batch)
    for _ in range(3):
        world.pass_time(timedelta(days=1))
        start_run(hours_ago=2, cost="1")
    world.correct_cost(run, Decimal(-25))

    for _ in range(2):
        published = run_batch(batch)
        world.pass_time(timedelta(days=5))
        days = published.rows("fct_agent_days", "date cost_usd failed_cost_usd")
        assert (DAY, 0, 0) in days
        assert published.findings == []


def test_an_open_run_that_disappears(
    batch: Batch, world: World, start_run: StartRun, tmp_path: Path
) -> None:
    """Given an open run that the API twice does not find, it is named once, and holds up no month.

    So it is with a warehouse that is made anew of what was landed.
    """
    batch.set_extract(history_days=30)
    run = start_run(hours_ago=10, status="running", cost="1")
    read(batch)
    world.hide_run(run)
    warnings, months = [], []
    for days in (1, 1, 21):
        world.pass_time(timedelta(days=days))
        (outcome,) = batch.extract()
        warnings += [text for text in outcome.warnings if run.id in text]
        published = publish(batch)
        columns = "month open_day_count open_count status"
        months += published.rows("dim_months", columns)[1:2]

    assert [run_count for _, _, run_count, _ in months] == [1, 0, 0]
    assert months[-1] == (DAY.replace(day=1), 0, 0, "final")
    assert len(warnings) == 1
    assert f"the API no longer has 1 open run: {run.id} (running). Such" in warnings[0]
    assert published.rows("fct_runs", "status is_final cost_usd") == [("running", True, 1)]
    assert ("reconciled", DAY) in published.rows("reconciliation_days", "status utc_date")
    assert published.findings == []
    with open_warehouse(Layout(tmp_path)) as con:
        load_all(con, batch.layout, Progress(quiet=True))
        assert con.execute("from ledger.provisional_runs").fetchall() == []


def test_a_run_that_changes_its_agent(
    batch: Batch, world: World, workspace: Workspace, agent: Agent, start_run: StartRun
) -> None:
    """Given a run of last week that gets another agent, the old one has no run left on its day."""
    miller = world.add_agent(workspace, "Miller", "miller")
    run, _ = (start_run(hours_ago=hours, cost="1") for hours in (10, 1))
    for _ in range(2):
        read(batch)
        world.pass_time(timedelta(days=8))
    give_run(run, miller)

    published = run_batch(batch)

    days = published.rows("fct_agent_days", "agent_id date run_count unlisted_run_count cost_usd")
    assert sorted(days) == sorted(
        [(miller.id, DAY, 1, 0, 1), (agent.id, DAY + timedelta(days=1), 1, 0, 1)]
    )
    assert published.findings == []
