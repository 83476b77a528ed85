"""Allocation in SQL: rules find their workspaces, and charges their cost centers."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.finance.load import load_finance
from analytics.finance.matching import specificity
from analytics.resources import folder
from tests.finance.files import write
from tests.queries.closing import close
from tests.transform.given import WORKSPACE, Warehouse

OTHER = "w-2"
OCTOBER = date(2026, 10, 1)
OWNERS = ("workspace,agent,cost_center", "*,baker,CC-1", "*,waiter,CC-2")
RULES = (
    "[[rules]]", 'name = "Shares"', 'source = "platform"', 'method = "fixed"',
    "shares = { CC-1 = 75, CC-2 = 25 }", 'workspace = "bake*"',
    "[[rules]]", 'name = "Waste"', 'source = "failed"', 'method = "even"',
)  # fmt: skip


@pytest.fixture
def bakery(warehouse: Warehouse) -> Warehouse:
    """Two workspaces in October: in each, two agents, a failed run of the one, and the platform."""
    warehouse.insert("ledger.workspaces", workspace_id=OTHER, workspace_name="Zoo")
    for workspace in (WORKSPACE, OTHER):
        of = {"workspace_id": workspace}
        for agent_id, slug, cost, billed in (
            ("a-1", "baker", "30", "33"),
            ("a-2", "waiter", "10", "11"),
            (None, None, "8", "0.0000000003"),
        ):
            if agent_id:
                warehouse.given("agents", agent_id=agent_id, agent_slug=slug, **of)
            warehouse.given(
                "agent_billing_days", agent_id=agent_id, date="2026-10-05", cost_usd=cost,
                billed_usd=billed, **of,
            )  # fmt: skip
        warehouse.given(
            "runs", run_id="r-9", agent_id="a-1", status="failed", cost_usd="6",
            created_at="2026-10-05 12:00Z", **of,
        )  # fmt: skip
    write("owners.csv", *OWNERS)
    write("allocation.toml", *RULES)
    assert load_finance(warehouse._con, Path()) == []
    warehouse.build()
    return warehouse


def rows(warehouse: Warehouse) -> list[tuple[object, ...]]:
    return warehouse.rows(
        "select workspace_id, agent_id, cost_center, source, rule, metered_cost_usd, billed_usd"
        " from marts.fct_allocations where source <> 'direct' order by all"
    )


def test_pools_go_where_the_files_say(bakery: Warehouse) -> None:
    """Each pool of a workspace goes to cost centers by the rule that matches it.

    Changed rules and corrected charges leave the rows of a closed month as they were.
    """
    d = Decimal
    assert rows(bakery) == [
        (WORKSPACE, "(platform)", "CC-1", "platform", "Shares", d(6), d("2e-10")),
        (WORKSPACE, "(platform)", "CC-2", "platform", "Shares", d(2), d("1e-10")),
        (WORKSPACE, "a-1", "CC-1", "failed", "Waste", d(3), d("3.3")),
        (WORKSPACE, "a-1", "CC-2", "failed", "Waste", d(3), d("3.3")),
        (OTHER, "(platform)", "(not allocated)", "platform", "(none)", d(8), d("3e-10")),
        (OTHER, "a-1", "CC-1", "failed", "Waste", d(3), d("3.3")),
        (OTHER, "a-1", "CC-2", "failed", "Waste", d(3), d("3.3")),
    ]
    assert bakery.rows(
        "select agent_id, metered_cost_usd, billed_usd from marts.fct_allocations"
        " where source = 'direct' and workspace_id = ? order by all",
        OTHER,
    ) == [("a-1", d(24), d("26.4")), ("a-2", d(10), d(11))]

    before = rows(bakery)
    close(bakery, OCTOBER)
    bakery._con.execute("delete from finance.allocation_rules")
    bakery.given("agent_billing_days", agent_id=None, date="2026-10-06", cost_usd=1, billed_usd=1)
    bakery.build()
    assert rows(bakery) == before
    for name in ("allocations_change_no_total",
                 "direct_allocations_are_charges_of_their_cost_center"):  # fmt: skip
        check = folder("queries") / "checks" / f"{name}.sql"
        assert bakery.rows(check.read_text(encoding="utf-8")) == []


def test_the_most_specific_rule_comes_first(warehouse: Warehouse) -> None:
    """SQL ranks rules as the reader does, and matches names and identifiers as owners.csv."""
    patterns = ["*", "bakery", "W-1", "bake*", "b*", "**", "?akery", "bake_off", "50%", "w-?", "%"]
    random.Random(15).shuffle(patterns)
    warehouse.insert("ledger.workspaces", workspace_id=OTHER, workspace_name="Bake_off")
    warehouse.insert("ledger.workspaces", workspace_id="w-3", workspace_name="50%")
    for number, pattern in enumerate(patterns, start=1):
        warehouse.insert(
            "finance.allocation_rules", rule=number, name=pattern, source="platform",
            method="even", workspace=pattern,
        )  # fmt: skip
    warehouse.build()
    found = warehouse.rows("select workspace_id, name from intermediate.int_allocation_rules"
                     " order by workspace_id, precedence")  # fmt: skip

    matching = {
        "w-1": {"*", "bakery", "W-1", "bake*", "b*", "**", "?akery", "w-?"},
        "w-2": {"*", "bake*", "b*", "**", "bake_off", "w-?"},
        "w-3": {"*", "**", "50%", "w-?"},
    }
    for workspace, names in matching.items():
        assert [name for each, name in found if each == workspace] == sorted(
            names, key=lambda name: (specificity(name)[:2], patterns.index(name))
        )
