"""What the files of finance/ name goes to the agent that they mean, night after night."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

from analytics.emulator.records import Agent, Workspace
from analytics.emulator.world import World
from analytics.finance.load import load_finance
from analytics.warehouse.database import open_warehouse
from tests.batches import Batch, Published, publish, read
from tests.scenarios.conftest import ledger_total
from tests.worlds import book_run

OWNERS = "workspace,agent,cost_center\n*,baker,small\n*,Baker,capital\n*,helper,helper\n"
BUDGETS = "scope,name,month,amount_usd\nagent,baker,2026-11,9\nagent,helper,2026-11,9\n"
OUTCOMES = "outcome_id,date,workspace,agent,outcome\n" + "".join(
    f"{agent}-{day},2026-11-{day},,{agent},loaf\n"
    for agent in ("baker", "Baker", "helper")
    for day in (20, 22)
)


def night(batch: Batch) -> Published:
    read(batch)
    with open_warehouse(batch.layout) as con:
        assert load_finance(con, batch.settings.project) == []
    return publish(batch)


def by_agent(published: Published, mart: str, column: str) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in published[mart]:
        sums[row["agent_id"]] += row[column] or 0
    return {agent: amount for agent, amount in sums.items() if amount}


def test_names_mean_one_agent(batch: Batch, world: World, workspace: Workspace) -> None:
    """Of slugs in other case the exact one is meant; of one used again, that of the date."""

    def hire(slug: str) -> Agent:
        return world.add_agent(workspace, slug, slug, at=world.now - timedelta(hours=2))

    folder = batch.settings.project / "finance"
    folder.mkdir()
    for name, text in (("owners", OWNERS), ("budgets", BUDGETS), ("outcomes", OUTCOMES)):
        (folder / f"{name}.csv").write_text(text)
    small, capital, helper, successor = hire("baker"), hire("Baker"), hire("helper"), None
    for number in range(3):
        if number == 1:
            world.delete_agent(helper)
            successor = hire("helper")
        for agent in (small, capital, successor or helper):
            book_run(world, agent, cost=f"{len(agent.id + agent.slug)}.{number}0000001")
        published = night(batch)
        world.pass_time(timedelta(days=1))

        ledger: defaultdict[str, Decimal] = defaultdict(Decimal)
        for entry in workspace.ledger:
            ledger[entry.run.agent.id] += entry.cost_usd
        assert published.findings == []
        assert by_agent(published, "fct_agent_days", "cost_usd") == ledger
        assert by_agent(published, "fct_charges", "metered_cost_usd") == ledger
        days = published["fct_workspace_days"]
        assert sum(row["cost_usd"] or 0 for row in days) == ledger_total(world)

    assert successor
    small_cost, helpers = ledger[small.id], ledger[helper.id] + ledger[successor.id]
    owned: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in published["fct_charges"]:
        owned[row["cost_center"]] += row["metered_cost_usd"]
    assert owned == {"small": small_cost, "capital": ledger[capital.id], "helper": helpers}
    actual = {row["name"]: row["actual_usd"] for row in published["fct_budgets"]}
    assert actual == {"baker": small_cost * Decimal("1.1"), "helper": helpers * Decimal("1.1")}
    assert by_agent(published, "fct_outcomes", "outcome_count") == {
        small.id: 2, capital.id: 2, helper.id: 1, successor.id: 1,
    }  # fmt: skip
