"""Cost, surcharge, own-key cost and bill; usage that was not reported is not free."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from analytics.emulator.records import Agent, Workspace
from analytics.emulator.world import World
from tests.batches import run_batch, run_batch_unseen
from tests.conftest import Batch, StartRun

BILL = "utc_date metered_cost_usd surcharge_usd own_key_usd billed_usd"


def test_a_provider_key_of_the_workspaces_own(
    batch: Batch, world: World, workspace: Workspace, agent: Agent
) -> None:
    """Given runs before and after a key was added, the bill is taken apart by day."""

    def run(hours: int) -> None:
        world.pass_time(timedelta(hours=hours))
        one = world.start_run(agent)
        world.launch_run(one)
        world.meter(
            one, model="claude-sonnet-5", provider="anthropic", tokens_in=1, tokens_out=1,
            cost_usd=Decimal(10),
        )  # fmt: skip
        world.finish_run(one)

    run(0)
    world.pass_time(timedelta(hours=1))
    key = world.add_provider_key(workspace, "anthropic", "sk-secret-1234")
    run(24)
    world.pass_time(timedelta(hours=1))
    first = run_batch(batch)
    workspace.keys.revoke(key.id)
    run_batch_unseen(batch)
    run(24)
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    expected = [
        (date(2026, 11, 20), Decimal(10), Decimal(1), Decimal(0), Decimal(11)),
        (date(2026, 11, 21), Decimal(10), Decimal("0.2"), Decimal(10), Decimal("0.2")),
        (date(2026, 11, 22), Decimal(10), Decimal(1), Decimal(0), Decimal(11)),
    ]
    assert published.rows("int_agent_billing_days", BILL) == expected
    assert published.rows("fct_billing_days", BILL) == expected
    assert [
        each.rows("dim_provider_keys", "provider is_listed") for each in (first, published)
    ] == [[("anthropic", True)], [("anthropic", False)]]
    assert published.findings == []


def test_a_run_that_bypasses_the_meter(batch: Batch, start_run: StartRun) -> None:
    """Given a run on a model of one's own, it reports no usage, and costs zero as the API says."""
    start_run(hours_ago=10, cost=None)
    start_run(hours_ago=10, cost="1")

    published = run_batch(batch)

    assert published.rows("fct_agent_days", "run_count no_usage_count cost_usd") == [
        (2, 1, Decimal(1))
    ]


def test_a_cost_that_the_api_does_not_report(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """Given a null cost, it is counted as unknown, and the metered cost stays unexplained."""
    run = start_run(hours_ago=10, cost="1")
    world.override_record(run.id, {"cost_usd": None})

    published = run_batch(batch)

    assert published.rows("fct_agent_days", "unknown_cost_count cost_usd") == [(1, None)]
    assert published.rows("int_reconciliation_agents", "unexplained_usd") == [(Decimal(1),)]
