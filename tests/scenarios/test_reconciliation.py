"""Each part of a metered day has its own source, and the rest is unexplained."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from tests.batches import Published, run_batch, run_batch_unseen
from tests.conftest import Batch, StartRun
from tests.scenarios.conftest import Burst

TERMS = (
    "utc_date metered_cost_usd run_cost_usd open_cost_usd platform_cost_usd unlisted_cost_usd"
    " timing_difference_usd unexplained_usd status"
)
DAY, NEXT = date(2026, 11, 19), date(2026, 11, 20)


def test_each_term_of_a_day(batch: Batch, world: World, start_run: StartRun, burst: Burst) -> None:
    """Given ended, open and unlisted runs, and one across midnight, every dollar has its part."""
    start_run(hours_ago=20, status="running", cost="0.5")
    run_batch_unseen(batch)
    late = start_run(hours_ago=-17, status="running", cost=None)
    burst(6, hours_ago=-1, cost="1")
    world.meter(
        late, model="claude-sonnet-5", provider="anthropic", tokens_in=1, tokens_out=1,
        cost_usd=Decimal(3), at=world.now + timedelta(hours=19),
    )  # fmt: skip
    world.pass_time(timedelta(hours=20))
    world.finish_run(late)
    world.pass_time(timedelta(hours=4))

    published = run_batch(batch)

    rows = [row for row in published.rows("reconciliation_days", TERMS) if row[1] or row[6]]
    zero = Decimal(0)
    assert rows == [
        (DAY, Decimal("0.5"), zero, Decimal("0.5"), zero, zero, zero, zero, "open"),
        (NEXT, Decimal(6), Decimal(7), zero, zero, Decimal(2), Decimal(-3), zero, "open"),
        (date(2026, 11, 21), Decimal(3), zero, zero, zero, zero, Decimal(3), zero, "open"),
    ]
    assert published.findings == []


def test_a_lagging_meter(
    batch: Batch,
    world: World,
    api: Emulator,
    start_run: StartRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Given analytics half a day behind, a difference is pending, and gone half a day later."""
    api.world.variants = api.world.variants.changed({"analytics_lag_seconds": 12 * 3600})
    monkeypatch.setattr("analytics.warehouse.provisional_runs.SETTLE_HOURS", 1)
    run = start_run(hours_ago=9, cost="1")

    early = run_batch(batch)
    world.pass_time(timedelta(days=1))
    late = run_batch(batch)

    def of(published: Published) -> list[tuple[object, ...]]:
        rows = published.rows("reconciliation_days", "utc_date run_cost_usd unexplained_usd status")
        return [row[1:] for row in rows if row[0] == run.created_at.date()]

    assert of(early) == [(Decimal(1), Decimal(-1), "pending")]
    assert of(late) == [(Decimal(1), Decimal(0), "reconciled")]
    assert not any(check.blocking_count for check in early.checks)
