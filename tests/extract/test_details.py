"""Costs and events of runs, which are two requests a run."""

from __future__ import annotations

from decimal import Decimal

import pytest

from analytics.emulator.world import World
from analytics.extract import details
from tests.batches import Batch
from tests.worlds import StartRun


def test_details_are_read_once(batch: Batch, world: World, start_run: StartRun) -> None:
    """A run's costs and events are read when it has ended, and again only if its cost changes."""
    run = start_run(status="failed", error="ToolError")
    open_run = start_run(status="running")
    batch.extract()
    first = (batch.asked(f"{run.id}/costs"), batch.asked(f"{open_run.id}/costs"))
    batch.forget()
    batch.extract()
    second = batch.asked("/costs")
    world.correct_cost(run, Decimal("0.5"))
    batch.forget()
    batch.extract()
    third = (batch.asked(f"{run.id}/costs"), batch.asked(f"{run.id}/log/events"))

    assert (first, second, third) == ((1, 0), 0, (1, 1))
    assert [(Decimal("0.75"),)] == batch.rows(
        "select sum(cost_usd) from raw.run_costs anti join raw.superseded using (version_id)"
    )


def test_each_detail_is_read_once_over_several_loads(
    batch: Batch, start_run: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The details of many runs are read in several loads, and those of the sample in the first."""
    monkeypatch.setattr(details, "PER_LOAD", 4)
    monkeypatch.setattr(details, "SAMPLE", 2)
    runs = [start_run(hours_ago=hours) for hours in range(1, 8)]
    batch.extract()

    asked = [(batch.asked(f"{run.id}/costs"), batch.asked(f"{run.id}/log/events")) for run in runs]
    assert asked == [(1, 1)] * 7
    loads = batch.rows(
        "select count(distinct run_id) from ledger.requests"
        " where source = 'run_costs' group by load_id order by load_id"
    )
    assert loads == [(3,), (1,), (2,), (1,)]
