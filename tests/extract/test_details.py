"""Costs and events of runs, which are two requests a run."""

from __future__ import annotations

from decimal import Decimal

from analytics.emulator.world import World
from tests.conftest import Batch, StartRun


def test_details_are_read_once(batch: Batch, world: World, start_run: StartRun) -> None:
    """A run's costs and events are read when it has ended, and again only if its cost changes."""
    batch.set_extract(details_per_batch=0)
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


def test_details_can_be_limited(batch: Batch, start_run: StartRun) -> None:
    """A batch reads the details of as many runs as the settings allow, newest first."""
    old, new = start_run(hours_ago=9), start_run(hours_ago=2)
    batch.set_extract(details_per_batch=1)
    batch.extract()
    first = (batch.asked(f"{new.id}/costs"), batch.asked(f"{old.id}/costs"))
    batch.extract()

    assert first == (1, 0)
    assert batch.asked(f"{old.id}/costs") == 1
