"""Nothing is missed silently: what the lists hide is counted, priced and kept apart."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from analytics.emulator.records import Agent, Workspace
from analytics.emulator.runs.platform import BUILDER
from analytics.emulator.world import World
from tests.batches import read_until_killed, run_batch
from tests.conftest import Batch, StartRun
from tests.scenarios.conftest import Burst, ledger_total

YESTERDAY, TODAY = date(2026, 11, 20), date(2026, 11, 21)
GAP = "date counted_run_count held_run_count missing_run_count missing_cost_usd is_final"


def test_an_agent_that_outruns_its_list(batch: Batch, world: World, burst: Burst) -> None:
    """Given 9 runs of 1 dollar a piece where 5 are listed, 4 runs and 4 dollars are a gap."""
    run_batch(batch)
    burst(9, hours_ago=-6, cost="1")
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    assert published.rows("fct_listing_gaps", GAP) == [(YESTERDAY, 9, 5, 4, Decimal(4), False)]
    assert len(published["fct_runs"]) == 5
    assert published.findings == []


def test_what_hidden_runs_used_of_each_model(
    batch: Batch, world: World, agent: Agent, burst: Burst
) -> None:
    """Given hidden runs of two models, each model's cost is the meter's less the held runs'."""
    run_batch(batch)
    for number in range(3):
        run = world.start_run(agent, at=world.now + timedelta(hours=1, minutes=number))
        world.launch_run(run, at=run.created_at)
        world.meter(
            run, model="zai.glm-5", provider="bedrock", tokens_in=1, tokens_out=1,
            cost_usd=Decimal("0.7"), at=run.created_at,
        )  # fmt: skip
        world.finish_run(run, at=run.created_at)
    burst(5, hours_ago=-6, cost="1")
    burst(1, hours_ago=-5, cost="2")
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    assert published.rows("fct_listing_gap_models", "model provider missing_cost_usd") == [
        ("claude-sonnet-5", "anthropic", Decimal(2)),
        ("zai.glm-5", "bedrock", Decimal("2.1")),
    ]
    assert published.rows("fct_listing_gaps", "missing_run_count missing_cost_usd") == [
        (4, Decimal("4.1"))
    ]


def test_listed_hidden_and_platform_runs_stand_apart(
    batch: Batch, world: World, workspace: Workspace, burst: Burst
) -> None:
    """Given all three kinds on a day, each has its column, and their sum is the ledger's."""
    run_batch(batch)
    burst(7, hours_ago=-6, cost="0.5")
    world.pass_time(timedelta(hours=7))
    build = world.start_platform_run(workspace, BUILDER)
    world.meter(
        build, model="claude-sonnet-5", provider="anthropic", tokens_in=1, tokens_out=1,
        cost_usd=Decimal("0.125"),
    )  # fmt: skip
    world.finish_run(build)
    world.pass_time(timedelta(hours=17))

    published = run_batch(batch)

    assert published.rows(
        "fct_workspace_days_complete",
        "date run_count cost_usd missing_run_count gap_cost_usd platform_run_count"
        " platform_cost_usd complete_cost_usd",
    ) == [
        (YESTERDAY, 5, Decimal("2.5"), 2, Decimal(1), 1, Decimal("0.125"), Decimal("3.625")),
    ]
    assert ledger_total(world) == Decimal("3.625")


def test_runs_without_an_agent_are_in_the_figures(
    batch: Batch, workspace: Workspace, start_run: StartRun
) -> None:
    """Given a run without an agent, it stands under No agent, and its cost is explained."""
    start_run(of=workspace, hours_ago=10, cost="0.75")

    published = run_batch(batch)

    assert published.rows("fct_agent_days", "agent_id agent_name date run_count cost_usd") == [
        (None, "No agent", date(2026, 11, 19), 1, Decimal("0.75"))
    ]
    assert {row["unexplained_usd"] for row in published["reconciliation_days"]} == {0}
    assert published.findings == []


def test_hidden_runs_without_an_agent(
    batch: Batch, world: World, workspace: Workspace, burst: Burst
) -> None:
    """Given 7 runs of no agent where 5 are listed, what 2 cost is unexplained, under No agent."""
    run_batch(batch)
    burst(7, of=workspace, hours_ago=-6, cost="1.25")
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    assert published.rows("fct_agent_days_complete", "agent_name date run_count cost_usd") == [
        ("No agent", YESTERDAY, 5, Decimal("6.25"))
    ]
    assert published["fct_listing_gaps"] == []
    assert published.rows("reconciliation_agents", "date agent_id unexplained_usd") == [
        (YESTERDAY, None, Decimal("2.5"))
    ]
    assert {
        row["date"]: row["unexplained_usd"]
        for row in published["reconciliation_days"]
        if row["unexplained_usd"]
    } == {YESTERDAY: Decimal("2.5")}


def test_hidden_runs_of_a_day_weeks_without_a_batch_ago(
    batch: Batch, world: World, burst: Burst
) -> None:
    """Given an agent that was busy between two batches further apart than the first one looked."""
    burst(1)
    run_batch(batch)
    burst(8, hours_ago=-24, cost="1")
    world.pass_time(timedelta(days=20))

    published = run_batch(batch)

    assert published.rows("fct_listing_gaps", GAP) == [(TODAY, 8, 5, 3, Decimal(3), True)]
    assert published.findings == []


def test_hidden_runs_of_days_that_a_longer_history_adds(batch: Batch, burst: Burst) -> None:
    """Given a history that is made longer later, runs of its new days that are hidden are found."""
    batch.set_extract(history_days=3)
    burst(8, hours_ago=24 * 5, cost="1")
    run_batch(batch)
    batch.set_extract(history_days=10)

    published = run_batch(batch)

    added = date(2026, 11, 15)
    assert published.rows("fct_listing_gaps", GAP) == [(added, 8, 5, 3, Decimal(3), True)]
    assert published.findings == []


def test_a_gap_stays_when_the_list_has_moved_on(batch: Batch, world: World, burst: Burst) -> None:
    """Given a gap, later batches that join keep it, and add nothing to it."""
    run_batch(batch)
    burst(9, hours_ago=-6, cost="1")
    for _ in range(3):
        world.pass_time(timedelta(days=1))
        burst(2, cost="0.1")
        published = run_batch(batch)

    assert published.rows("fct_listing_gaps", GAP) == [(YESTERDAY, 9, 3, 6, Decimal(6), True)]


def test_the_first_batch_has_a_gap_too(batch: Batch, burst: Burst) -> None:
    """Given more runs than are listed before the first batch, what it cannot see is a gap."""
    burst(8, hours_ago=30, cost="1")

    published = run_batch(batch)

    assert published.rows("fct_listing_gaps", "date missing_run_count missing_cost_usd") == [
        (date(2026, 11, 19), 3, Decimal(3))
    ]
    assert sum(row["complete_cost_usd"] for row in published["fct_workspace_days_complete"]) == 8
    assert published.findings == []


def test_a_batch_that_was_killed_is_made_good(batch: Batch, world: World, burst: Burst) -> None:
    """Given a batch killed half way whose runs then left the lists, they are held all the same."""
    burst(5, hours_ago=5, cost="1")
    assert read_until_killed(batch, 36)
    burst(5, hours_ago=-1, cost="2")
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    assert sum(row["cost_usd"] for row in published["fct_runs"]) == 15
    assert published["fct_listing_gaps"] == []
    assert published.findings == []
