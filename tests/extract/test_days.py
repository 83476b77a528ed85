"""The days of meters that a batch reads, and reads again."""

from __future__ import annotations

from decimal import Decimal

from analytics.emulator.world import World
from tests.batches import Batch, batches_later
from tests.worlds import StartRun


def test_older_days_are_metered_once(batch: Batch, world: World, start_run: StartRun) -> None:
    """The first batch reads the whole history of the meters, later ones the trailing days."""
    batch.set_extract(history_days=90)
    start_run(hours_ago=24 * 60)
    batch.extract()
    first = batch.asked("analytics/agents")
    batches_later(world)
    batch.forget()
    batch.extract()

    assert first == 90 + 1  # a day each, and one request that tells how long the batch will take
    assert (
        batch.asked("analytics/agents"),
        batch.asked("analytics/hourly"),
        batch.asked("analytics/platform-agents"),
    ) == (35, 1, 8)


def test_a_day_read_while_it_was_young_is_read_again(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """After two weeks without a batch, the day of the last one is read to its end."""
    batch.set_extract(history_days=30)
    start_run()
    batch.extract()
    start_run(hours_ago=-3, cost="5")  # later on the day of the first batch
    batches_later(world, hours=24 * 14)
    batch.extract()

    assert batch.rows(
        "select sum(cost_usd) from raw.usage_hours anti join raw.superseded using (version_id)"
    ) == [(Decimal("5.25"),)]


def test_a_change_behind_the_history_reads_its_day_again(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """A run that ends after its day has left the history still has that day read again."""
    run = start_run(hours_ago=1, status="running")
    day = str(run.created_at.date())
    batch.extract()
    batches_later(world, hours=5 * 24)
    batch.extract()
    batches_later(world, hours=24)
    world.finish_run(run)
    batch.forget()

    batch.extract()

    assert any(
        request.path == "/api/v1/analytics/agents" and f"start={day}" in request.query
        for request in batch.api.requests
    )
