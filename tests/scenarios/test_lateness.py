"""Late records: each version is kept, and a change after publication is an adjustment."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.batch.progress import Progress
from analytics.batch.rebuild import load_all
from analytics.emulator.world import World
from analytics.warehouse.database import open_warehouse
from analytics.warehouse.layout import Layout
from tests.batches import publish, run_batch, run_batch_unseen
from tests.conftest import Batch, StartRun
from tests.scenarios.conftest import Burst

ADJUSTED = "date previous_cost_usd current_cost_usd previous_run_count current_run_count"
DAY = date(2026, 11, 19)


def test_a_run_that_is_open_for_weeks(
    batch: Batch, world: World, start_run: StartRun, burst: Burst
) -> None:
    """Given a run that ends after 15 days far behind the list, its day gets the whole cost."""
    batch.set_extract(history_days=30)
    run = start_run(hours_ago=10, status="running", cost="1")
    run_batch_unseen(batch)
    burst(9, hours_ago=-1, cost=None)
    world.pass_time(timedelta(days=15))
    before = run_batch(batch)
    world.meter(
        run, model="claude-sonnet-5", provider="anthropic", tokens_in=1, tokens_out=1,
        cost_usd=Decimal(4),
    )  # fmt: skip
    world.finish_run(run)
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    columns = "date run_count open_count cost_usd"
    assert before.rows("fct_agent_days", columns)[0] == (DAY, 1, 1, Decimal(1))
    assert published.rows("fct_agent_days", columns)[0] == (DAY, 1, 0, Decimal(5))
    assert published.rows("fct_adjustments", ADJUSTED) == [(DAY, Decimal(1), Decimal(5), 1, 1)]
    assert published.findings == []


NEVER_SEEN = pytest.mark.xfail(
    strict=True, reason="a refund before the first batch is in no bound of the cut-off control"
)


@pytest.mark.parametrize("was_read_before", [True, pytest.param(False, marks=NEVER_SEEN)])
def test_a_refund(
    batch: Batch, world: World, start_run: StartRun, *, was_read_before: bool
) -> None:
    """Given a run that is paid back days later, it costs nothing, and every control agrees."""
    start_run(hours_ago=90, cost="1")
    run = start_run(hours_ago=10, cost="25", status="failed", error="ToolError: oven")
    if was_read_before:
        run_batch_unseen(batch)
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


def test_a_correction_three_weeks_later(
    batch: Batch, world: World, start_run: StartRun, burst: Burst
) -> None:
    """Given a correction further back than the first batch looked, the day's roll-up shows it."""
    run = start_run(hours_ago=10, cost="1", status="cancelled")
    run_batch_unseen(batch)
    burst(9, hours_ago=-1, cost="0.1")
    world.pass_time(timedelta(days=21))
    run_batch_unseen(batch)
    world.correct_cost(run, Decimal("2.5"))
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    assert published.rows("fct_adjustments", ADJUSTED) == [(DAY, Decimal(1), Decimal("3.5"), 1, 1)]
    assert {row["unexplained_usd"] for row in published["reconciliation_days"]} == {0}
    assert published.findings == []


def test_an_open_run_that_disappears(
    batch: Batch, world: World, start_run: StartRun, tmp_path: Path
) -> None:
    """Given an open run that the API twice does not find, it is named once, and holds up no month.

    So it is with a warehouse that is made anew of what was landed.
    """
    batch.set_extract(history_days=30)
    run = start_run(hours_ago=10, status="running", cost="1")
    run_batch_unseen(batch)
    world.hide_run(run)
    warnings, months = [], []
    for days in (1, 1, 1, 20):
        world.pass_time(timedelta(days=days))
        (outcome,) = batch.extract()
        warnings += [text for text in outcome.warnings if run.id in text]
        published = publish(batch)
        columns = "month open_day_count open_count status"
        months += published.rows("dim_months", columns)[1:2]

    assert [run_count for _, _, run_count, _ in months] == [1, 0, 0, 0]
    assert months[-1] == (DAY.replace(day=1), 0, 0, "final")
    assert len(warnings) == 1
    assert f"the API no longer has 1 open run: {run.id} (running). Such" in warnings[0]
    assert published.rows("fct_runs", "status is_final cost_usd") == [("running", True, 1)]
    assert ("reconciled", DAY) in published.rows("reconciliation_days", "status utc_date")
    assert published["rpt_provisional_runs"] == []
    assert published.findings == []
    with open_warehouse(Layout(tmp_path)) as con:
        load_all(con, batch.layout, Progress(quiet=True))
        assert con.execute("from ledger.provisional_runs").fetchall() == []


def test_a_run_that_disappears_and_then_costs_more(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """Given a vanished run that is corrected, the day's rest is unexplained."""
    batch.set_extract(history_days=30)
    run = start_run(hours_ago=10, cost="1")
    run_batch_unseen(batch)
    world.hide_run(run)
    world.correct_cost(run, Decimal("0.25"))
    world.pass_time(timedelta(days=12))
    run_batch(batch)  # what is once not found may be found again

    published = run_batch(batch)

    assert published.rows("int_reconciliation_agents", "utc_date unexplained_usd") == [
        (DAY, Decimal("0.25"))
    ]
    assert [check.name for check in published.checks if not check.ok] == [
        "listed_days_agree_with_the_api",
    ]
    assert not any(check.blocking_count for check in published.checks)
