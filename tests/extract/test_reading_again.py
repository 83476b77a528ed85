"""Runs that a batch reads by their ids: those that may change, and those of totals that differ."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from analytics.emulator.world import World
from tests.batches import LIST_CAP, Batch, batches_later
from tests.worlds import StartRun

pytestmark = pytest.mark.usefixtures("few_listed")


@pytest.fixture
def a_day_later(batch: Batch, start_run: StartRun) -> Callable[[], None]:
    """Let a day pass, after which the list is full of newer runs; requests are counted anew."""

    def pass_day() -> None:
        batches_later(batch.api.world)
        for number in range(LIST_CAP):
            start_run(hours_ago=1 + number / 10)
        batch.forget()

    return pass_day


def test_open_runs_are_read_until_they_end(
    batch: Batch, world: World, start_run: StartRun, a_day_later: Callable[[], None]
) -> None:
    """A run that has left the lists while it was open is read by id, and its end is stored.

    One that the API refuses to return stays as it was.
    """
    run, odd = (start_run(status="running", cost="0.10") for _ in range(2))
    world.override_record(odd.id, {"id": "no-uuid"})
    batch.extract()
    a_day_later()
    batch.extract()
    world.finish_run(run, "failed", error="TimeoutError: too slow")
    a_day_later()

    (outcome,) = batch.extract()

    assert outcome.error is None
    assert ("failed", Decimal("0.10")) == batch.current_runs()[run.id]
    assert batch.read_by_id(run) == 1


def test_ended_runs_are_read_until_they_have_final(
    batch: Batch, start_run: StartRun, a_day_later: Callable[[], None]
) -> None:
    """A run is read again until 48 hours after its end, and not after that."""
    run, asked = start_run(), []
    for _ in range(4):
        batch.extract()
        asked.append(batch.read_by_id(run))
        a_day_later()

    assert asked == [0, 1, 1, 0]


def test_a_late_change_is_found_by_totals(
    batch: Batch,
    world: World,
    start_run: StartRun,
    a_day_later: Callable[[], None],
) -> None:
    """A final run that changes differs from the API's totals of its day, and is read, but once.

    So it is where the day has unlisted runs, which differ in each batch.
    """
    batch.set_extract(history_days=8)
    run = start_run(hours_ago=24 * 4 - 2)
    for number in range(2 * LIST_CAP):
        start_run(hours_ago=24 * 4 - 1 + number / 100)
    for _ in range(2):
        batch.extract()
    batches_later(world, hours=48)
    a_day_later()
    batch.extract()
    batch.forget()
    batch.extract()
    assert batch.read_by_id() == 0
    found = []
    changes: list[Callable[[], object]] = [
        lambda: world.correct_cost(run, Decimal("1.5")),
        lambda: world.meter(
            run, model="gpt-5.6-terra", provider="openai", tokens_in=7, tokens_out=0,
            cost_usd=Decimal(0),
        ),
        lambda: world.finish_run(run, "failed", error="ToolError: no flour", at=run.finished_at),
    ]  # fmt: skip
    for change in changes:
        change()
        for _ in range(2):
            batch.forget()
            batch.extract()
            found.append((batch.read_by_id(run), *batch.current_runs()[run.id]))

    cost = Decimal("1.75")
    changed, failed = ("succeeded", cost), ("failed", cost)
    assert found == [
        *((asked, *changed) for asked in (1, 0, 1, 0)), *((asked, *failed) for asked in (1, 0)),
    ]  # fmt: skip


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
