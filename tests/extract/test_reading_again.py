"""Runs that a batch reads by their ids: those that may change, and those of totals that differ."""

from __future__ import annotations

from decimal import Decimal

from analytics.emulator.world import World
from tests.batches import batches_later
from tests.conftest import Batch, StartRun


def test_open_runs_are_read_until_they_end(batch: Batch, world: World, start_run: StartRun) -> None:
    """A run that has left the lists while it was open is read by id, and its end is stored."""
    run = start_run(status="running", cost="0.10")
    batch.extract()
    batches_later(world)
    for number in range(205):
        start_run(hours_ago=1 + number / 100)
    batch.extract()
    world.finish_run(run, "failed", error="TimeoutError: too slow")
    batches_later(world)
    batch.forget()

    batch.extract()

    assert ("failed", Decimal("0.10")) == batch.current_runs()[run.id]
    assert batch.asked(f"/runs/{run.id}") >= 1


def test_ended_runs_are_read_until_they_have_final(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """A run is read again until 48 hours after its end, and not after that."""
    run = start_run()
    asked = []
    for _ in range(4):
        batch.forget()
        batch.extract()
        batches_later(world)
        for number in range(200):
            start_run(hours_ago=1 + number / 1000)
        asked.append(batch.read_by_id(run))

    assert asked == [0, 1, 1, 0]


def test_a_late_correction_is_found_by_its_sum(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """A cost that changes weeks after its run ended is found by the day's total, and read by id."""
    batch.set_extract(history_days=35)
    run = start_run(hours_ago=24 * 20, status="failed", error="ToolError: no flour")
    batch.extract()
    batches_later(world)
    for number in range(200):
        start_run(hours_ago=1 + number / 1000)
    batch.extract()
    world.correct_cost(run, Decimal("1.5"))
    batch.forget()

    batch.extract()

    assert ("failed", Decimal("1.75")) == batch.current_runs()[run.id]
    assert batch.read_by_id(run) == 1


def test_a_late_change_of_a_status_or_of_tokens_is_found(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """A final run that fails after all, or gets tokens, differs from the API's totals, and is read.

    So it is where the day has unlisted runs, which differ in each batch; and it is read once.
    """
    batch.set_extract(history_days=10)
    failed, told = (start_run(hours_ago=24 * 4, status="succeeded") for _ in range(2))
    for _ in range(2):
        for number in range(198):
            start_run(hours_ago=24 * 4 - 1 + number / 1000)
        batch.extract()
    batches_later(world)
    batch.extract()
    world.finish_run(failed, "failed", error="ToolError: no flour", at=failed.finished_at)
    batch.forget()
    batch.extract()
    of_status = batch.read_by_id(failed)
    world.meter(
        told,
        model="gpt-5.6-terra",
        provider="openai",
        tokens_in=7,
        tokens_out=0,
        cost_usd=Decimal(0),
    )
    batch.forget()
    batch.extract()
    of_tokens = batch.read_by_id(told)
    batch.forget()
    batch.extract()

    assert batch.current_runs()[failed.id][0] == "failed"
    assert (of_status, of_tokens, batch.read_by_id()) == (1, 1, 0)


def test_what_stays_different_is_looked_into_once(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """A day that differs because of unlisted runs is read again once, not in every batch."""
    batch.set_extract(history_days=10)
    for number in range(220):
        start_run(hours_ago=24 * 4 + number / 1000)
    batch.extract()
    batches_later(world, hours=72)
    batch.extract()
    batch.forget()

    batch.extract()

    assert batch.read_by_id() == 0


def test_a_run_that_vanishes_keeps_its_figures(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """A run that the API twice does not find stays stored, and is not requested again."""
    run = start_run(cost="0.40")
    batch.extract()
    world.hide_run(run)
    batch.extract()
    batch.extract()
    batch.forget()
    batch.extract()

    assert ("succeeded", Decimal("0.40")) == batch.current_runs()[run.id]
    assert batch.asked(f"/runs/{run.id}") == 0
    assert batch.rows("from ledger.provisional_runs") == []
    assert (
        batch.rows("select path from ledger.requests where source = 'runs' and status = 404")
        == [(f"/api/v1/runs/{run.id}",)] * 2
    )


def test_one_refused_run_costs_only_itself(batch: Batch, world: World, start_run: StartRun) -> None:
    """A run that the API refuses to return stays as it was, and the batch goes on."""
    odd = start_run(status="running")
    world.override_record(odd.id, {"id": "no-uuid"})
    batch.extract()
    batches_later(world)
    for number in range(200):
        start_run(hours_ago=1 + number / 100)

    (outcome,) = batch.extract()

    assert outcome.error is None
    assert len(batch.current_runs()) == 201
