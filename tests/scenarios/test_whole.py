"""Figures of all runs where the lists show only the newest ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from analytics.emulator.records import Agent, Run, Workspace
from analytics.emulator.world import World
from tests.batches import Published, run_batch, run_batch_unseen
from tests.conftest import NOW, Batch
from tests.scenarios.conftest import Burst

ANTHROPIC, BEDROCK = ("claude-sonnet-5", "anthropic"), ("zai.glm-5", "bedrock")
RATE = "run_count succeeded_count failed_count listed_run_count"


def hours_since(moment: datetime) -> float:
    return (NOW - moment) / timedelta(hours=1)


def detail(published: Published) -> list[str]:
    """The status of each listed run."""
    return sorted(status for (status,) in published.rows("fct_runs", "status"))


def test_a_failure_rate_where_most_runs_are_unlisted(batch: Batch, burst: Burst) -> None:
    """Given 20 runs of which 5 failed, 4 of the 5 listed ones, the rate is 25 %, not 80 %."""
    burst(1, hours_ago=15, status="failed")
    burst(14, hours_ago=14)
    burst(1, hours_ago=13, status="cancelled")
    burst(1, hours_ago=12)
    burst(4, hours_ago=11, status="failed")

    published = run_batch(batch)

    for table in ("fct_agent_days", "fct_workspace_days", "fct_agent_months"):
        (row,) = published[table]
        assert published.rows(table, RATE) == [(21, 15, 5, 5)]
        assert row["cancelled_count"] == 1
        assert row["failure_rate"] == 5 / 20
        assert row["failure_rate_low"] < 5 / 20 < row["failure_rate_high"] < 4 / 5
    assert detail(published) == ["failed"] * 4 + ["succeeded"]
    assert published.findings == []


def test_the_failure_rate_of_a_month(batch: Batch, burst: Burst) -> None:
    """Given runs of October that no list shows any more, the month has all of its failures."""
    batch.set_extract(history_days=60)
    for day, failed in ((5, 1), (6, 2), (31, 0)):
        noon = datetime(2026, 10, day, 12, tzinfo=UTC)
        burst(8 - failed, hours_ago=hours_since(noon))
        burst(failed, hours_ago=hours_since(noon) - 1, status="failed")
    burst(6, hours_ago=30, status="failed")

    published = run_batch(batch)

    october, november = published.rows("fct_workspace_months", "month failure_rate " + RATE)
    assert october == (date(2026, 10, 1), 3 / 24, 24, 21, 3, 0)
    assert november == (date(2026, 11, 1), 1, 6, 0, 6, 5)
    assert published.findings == []


def test_a_bill_taken_apart(batch: Batch, world: World, workspace: Workspace, agent: Agent) -> None:
    """Given a key of the workspace's own from the middle of a day and month, parts are exact.

    Each part is formed from the ledger, by the account that paid for the run's provider.
    """

    def run(hours: float, *usage: tuple[tuple[str, str], str]) -> Run:
        world.pass_time(timedelta(hours=hours))
        one = world.start_run(agent)
        world.launch_run(one)
        for (model, provider), cost in usage:
            world.meter(
                one, model=model, provider=provider, tokens_in=10, tokens_out=1,
                cost_usd=Decimal(cost),
            )  # fmt: skip
        world.finish_run(one)
        return one

    run(0, (ANTHROPIC, "3.3"), (BEDROCK, "1.7"))
    run(24, (ANTHROPIC, "0.0000000003"), (BEDROCK, "0.5"))
    late = world.start_run(agent)
    world.launch_run(late)
    world.pass_time(timedelta(minutes=1))
    world.add_provider_key(workspace, "anthropic", "sk-secret-1234")
    run(1 / 60, (ANTHROPIC, "2.2"), (BEDROCK, "0.0000000007"))
    world.meter(
        late, model="claude-sonnet-5", provider="anthropic", tokens_in=1, tokens_out=1,
        cost_usd=Decimal("0.9"),
    )  # fmt: skip
    world.finish_run(late)  # began before the key was added, so that Levain bills it
    run_batch_unseen(batch)
    world.pass_time(timedelta(hours=16))
    for _ in range(7):  # of which two are unlisted
        run(3, (ANTHROPIC, "0.1234567891"), (BEDROCK, "0.25"))
    world.pass_time(timedelta(hours=24))

    published = run_batch(batch)

    bills: dict[tuple[date, str], dict[str, Decimal]] = {}
    for entry in workspace.ledger:
        row = bills.setdefault(
            (entry.booked_at.date(), entry.provider),
            dict.fromkeys(("cost", "surcharge", "own_key", "billed"), Decimal(0)),
        )
        is_own = entry.provider in entry.run.own_keys
        row["cost"] += entry.cost_usd
        row["billed"] += entry.billed_usd
        row["own_key"] += entry.cost_usd if is_own else 0
        row["surcharge"] += entry.billed_usd - (0 if is_own else entry.cost_usd)
    parts = "utc_date provider metered_cost_usd surcharge_usd own_key_usd billed_usd"
    assert published.rows("fct_billing_days", parts) == [
        (*key, *row.values()) for key, row in sorted(bills.items())
    ]
    assert len({key[0] for key in bills}) == 3
    for table in ("int_agent_billing_days", "fct_agent_months", "fct_workspace_months"):
        for column, part in (
            ("surcharge_usd", "surcharge"), ("own_key_usd", "own_key"), ("billed_usd", "billed"),
        ):  # fmt: skip
            of_all = sum(bill[part] for bill in bills.values())
            assert sum(row[column] for row in published[table]) == of_all
    assert sum(row["unlisted_run_count"] for row in published["fct_agent_days"]) > 0
    assert published.findings == []
