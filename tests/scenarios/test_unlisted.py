"""Runs that no list ever showed: counted, with their cost, and apart from listed ones."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from analytics.emulator.records import Agent, Workspace
from analytics.emulator.runs.platform import BUILDER
from analytics.emulator.world import World
from tests.batches import Published, read_until_killed, run_batch, run_batch_unseen
from tests.conftest import Batch, StartRun
from tests.scenarios.conftest import Burst, ledger_total

YESTERDAY, TODAY = date(2026, 11, 20), date(2026, 11, 21)
UNLISTED = "date run_count listed_run_count unlisted_run_count unlisted_cost_usd"


def unlisted_days(published: Published) -> list[tuple[Any, ...]]:
    """The agent's days with unlisted runs."""
    return [row for row in published.rows("fct_agent_days", UNLISTED) if row[3]]


def test_an_agent_that_outruns_its_list(batch: Batch, world: World, burst: Burst) -> None:
    """Given 9 runs of 1 dollar a piece where 5 are listed, 4 runs and 4 dollars are unlisted."""
    run_batch_unseen(batch)
    burst(9, hours_ago=-6, cost="1")
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    assert unlisted_days(published) == [(YESTERDAY, 9, 5, 4, Decimal(4))]
    assert len(published["fct_runs"]) == 5
    assert published.findings == []


def test_usage_of_unlisted_runs_by_model(
    batch: Batch, world: World, agent: Agent, burst: Burst
) -> None:
    """Given unlisted runs of two models, each model has all its usage, and its listed part."""
    run_batch_unseen(batch)
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

    assert published.rows(
        "fct_model_days",
        "utc_date model provider metered_cost_usd listed_cost_usd tokens_in request_count",
    ) == [
        (YESTERDAY, "claude-sonnet-5", "anthropic", 7, 5, 6000, 6),
        (YESTERDAY, "zai.glm-5", "bedrock", Decimal("2.1"), 0, 3, 3),
    ]
    assert unlisted_days(published) == [(YESTERDAY, 9, 5, 4, Decimal("4.1"))]


def test_listed_unlisted_and_platform_cost(
    batch: Batch, world: World, workspace: Workspace, burst: Burst
) -> None:
    """Given all three on a day, each has its column, and cost_usd is the ledger's sum."""
    run_batch_unseen(batch)
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
        "fct_workspace_days",
        "date run_count cost_usd listed_run_count listed_cost_usd unlisted_run_count"
        " unlisted_cost_usd platform_cost_usd",
    ) == [
        (YESTERDAY, 7, Decimal("3.625"), 5, Decimal("2.5"), 2, Decimal(1), Decimal("0.125")),
    ]
    assert published.rows("fct_agent_days", "line_type run_count cost_usd") == [
        ("platform", 0, Decimal("0.125")),
        ("agent", 7, Decimal("3.5")),
    ]
    assert ledger_total(world) == Decimal("3.625")


def test_runs_without_an_agent_have_a_line(
    batch: Batch, workspace: Workspace, start_run: StartRun
) -> None:
    """Given a run without an agent, it stands under No agent, and its cost is explained."""
    start_run(of=workspace, hours_ago=10, cost="0.75")

    published = run_batch(batch)

    assert published.rows(
        "fct_agent_days", "agent_id agent_name line_type date run_count cost_usd"
    ) == [("(none)", "No agent", "no_agent", date(2026, 11, 19), 1, Decimal("0.75"))]
    assert published.rows("fct_runs", "agent_id agent_name") == [("(none)", "No agent")]
    assert {row["unexplained_usd"] for row in published["reconciliation_days"]} == {0}
    assert published.findings == []


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


def test_unlisted_runs_of_a_day_weeks_without_a_batch_ago(
    batch: Batch, world: World, burst: Burst
) -> None:
    """Given an agent that was busy between two batches further apart than the first one looked."""
    burst(1)
    run_batch_unseen(batch)
    burst(8, hours_ago=-24, cost="1")
    world.pass_time(timedelta(days=20))

    published = run_batch(batch)

    assert unlisted_days(published) == [(TODAY, 8, 5, 3, Decimal(3))]
    assert published.findings == []


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


def test_unlisted_runs_stay_in_later_batches(batch: Batch, world: World, burst: Burst) -> None:
    """Given unlisted runs, later batches keep them, and add nothing to the day."""
    run_batch_unseen(batch)
    burst(9, hours_ago=-6, cost="1")
    for _ in range(3):
        world.pass_time(timedelta(days=1))
        burst(2, cost="0.1")
        published = run_batch(batch)

    assert unlisted_days(published) == [(YESTERDAY, 9, 3, 6, Decimal(6))]


def test_unlisted_runs_before_the_first_batch(batch: Batch, burst: Burst) -> None:
    """Given more runs than are listed before the first batch, the others are unlisted."""
    burst(8, hours_ago=30, cost="1")

    published = run_batch(batch)

    assert unlisted_days(published) == [(date(2026, 11, 19), 8, 5, 3, Decimal(3))]
    assert sum(row["cost_usd"] for row in published["fct_workspace_days"]) == 8
    assert published.findings == []


def test_runs_of_a_batch_that_was_killed(batch: Batch, world: World, burst: Burst) -> None:
    """Given a batch killed half way whose runs then left the lists, each run has a row."""
    burst(5, hours_ago=5, cost="1")
    assert read_until_killed(batch, 36)
    burst(5, hours_ago=-1, cost="2")
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    assert sum(row["cost_usd"] for row in published["fct_runs"]) == 15
    assert unlisted_days(published) == []
    assert published.findings == []
