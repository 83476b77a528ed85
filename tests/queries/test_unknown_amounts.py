"""Amounts that the API does not give: what holds one is unknown, never zero and never a part."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from analytics.resources import folder
from tests.queries.invoiced import NOVEMBER
from tests.transform.given import WORKSPACE, Warehouse

METERS = (
    "usage_hours", "billing_days", "agent_billing_days", "agent_rollups", "platform_rollups",
    "run_counts",
)  # fmt: skip
CAFE = "w-2"


def asked(
    warehouse: Warehouse, first: str, end: str, workspace_id: str = WORKSPACE, **refused: str
) -> None:
    """All meters of a workspace were read for days; `refused` ones were refused from a day on."""
    for source in METERS:
        until = refused.get(source, end)
        for status, start, stop in ((200, first, until), (403, until, end)):
            if start < stop:
                warehouse.insert(
                    "ledger.requests", workspace_id=workspace_id, load_id="load-1", request=1,
                    source=source, agent_id="a-1" if source == "run_counts" else None,
                    status=status, fetched_at="2026-12-05 05:00Z", window_start=start,
                    window_end=stop,
                )  # fmt: skip


def answer(warehouse: Warehouse, question: str) -> list[dict[str, Any]]:
    """The rows of an ad hoc query, by the names of their columns."""
    file = folder("queries") / "adhoc" / f"{question}.sql"
    found = warehouse.execute(file.read_text(encoding="utf-8"))
    names = [name for name, *_ in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def billed(warehouse: Warehouse, day: str, cost: int, bill: int | None, **of: Any) -> int:
    """A day's usage of an agent and its bill; return the version of the bill by agent."""
    warehouse.given("billing_days", date=day, cost_usd=cost, billed_usd=bill, **of)
    return warehouse.given("agent_billing_days", date=day, cost_usd=cost, billed_usd=bill, **of)


@pytest.fixture
def december(warehouse: Warehouse) -> Warehouse:
    """Two workspaces, of which the last batch was on 5 December."""
    warehouse.insert("ledger.workspaces", workspace_id=CAFE, workspace_name="Cafe")
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    return warehouse


def test_a_bridge_of_two_workspaces(december: Warehouse) -> None:
    """A step that is unknown of one workspace is unknown of all: what is shown adds up."""
    asked(december, "2026-10-31", "2026-12-06")
    asked(december, "2026-10-31", "2026-12-06", CAFE, usage_hours="2026-10-31")
    for workspace_id in (WORKSPACE, CAFE):
        billed(december, "2026-11-10", 10, 12, workspace_id=workspace_id)
    december.build()

    steps = {
        row["step"]: row["amount_usd"]
        for row in answer(december, "cost_to_bill")
        if row["month"] == NOVEMBER
    }
    assert (steps["metered"], steps["meter to bill"]) == (None, None)
    assert (steps["surcharge"], steps["billed"]) == (4, 24)


def test_unit_costs(december: Warehouse) -> None:
    """A run costs what is unknown where a cost is; a million tokens, what those with a cost did."""
    asked(december, "2026-11-01", "2026-12-06")
    for number, cost in enumerate((1, 1, None)):
        december.given("runs", run_id=f"r-{number}", created_at="2026-12-02 12:00Z", cost_usd=cost)
    for hour, cost in ((9, 10), (10, None)):
        december.given(
            "usage_hours", date="2026-12-02", hour=f"2026-12-02 {hour:02}:00Z", agent_id="a-1",
            provider="anthropic", model="m", cost_usd=cost, tokens_in=1_000_000, tokens_out=0,
        )  # fmt: skip
    december.build()

    (agent,) = answer(december, "cost_per_successful_run")
    assert (agent["succeeded_count"], agent["cost_usd"], agent["usd_per_success"]) == (3, 2, None)
    (model,) = answer(december, "cost_by_model_and_provider")
    assert (model["metered_cost_usd"], model["usd_per_million_tokens"]) == (10, 10)


@pytest.mark.parametrize("unknown_week", [0, 1])
def test_an_agent_of_unknown_cost_is_no_mover(december: Warehouse, unknown_week: int) -> None:
    """An agent with a week of unknown cost is not compared, whatever the workspace's other runs."""
    asked(december, "2026-11-01", "2026-12-06")
    for day in range(14):
        date_ = date(2026, 11, 21) + timedelta(days=day)
        for agent_id, count in (("a-1", 1), ("a-2", 9)):
            cost = None if agent_id == "a-1" and day // 7 == unknown_week else count
            for number in range(count):
                december.given(
                    "runs", run_id=f"{date_}{agent_id}{number}", agent_id=agent_id,
                    created_at=f"{date_} 12:00Z", cost_usd=cost and 1,
                )  # fmt: skip
            december.given("run_counts", agent_id=agent_id, date=date_, run_count=count)
            december.given(
                "agent_rollups", agent_id=agent_id, date=date_, run_count=count, cost_usd=cost
            )
    december.build()

    assert december.rows("from reports.rpt_movers") == []
    assert answer(december, "agents_more_expensive_than_last_week") == []


def test_what_a_run_costs_needs_the_cost_of_each(warehouse: Warehouse) -> None:
    """Known cost is not divided by runs whose cost is unknown."""
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=1, status=200,
        source="usage_hours", window_start="2026-11-01", window_end="2026-11-29",
    )  # fmt: skip
    warehouse.con.execute(
        "update ledger.workspaces"
        " set first_batch_at = '2026-11-01 05:00Z', last_batch_at = '2026-11-28 05:00Z'"
    )
    for day, cost in (("2026-11-16", 1), ("2026-11-24", 2)):
        for hour in range(5):
            warehouse.given(
                "runs", run_id=f"{day}-{hour}", created_at=f"{day} 0{hour}:00Z",
                cost_usd=None if day > "2026-11-20" and not hour else cost,
            )  # fmt: skip
    warehouse.build()

    (of_agent,) = warehouse.rows(
        "select recent_run_cost_usd, recent_cost_usd, recent_unknown_cost_count"
        " from reports.rpt_headlines where agent_id = 'a-1'"
    )
    assert of_agent == (None, 13, 1)
    for table in ("rpt_days", "rpt_workspace_days"):
        assert warehouse.rows(
            f"select run_cost_usd, judged_cost_usd from reports.{table} order by date"
        ) == [(5, 5), (8, None)]
    assert warehouse.rows(
        "select cost_usd, run_cost_usd from reports.rpt_versions order by date"
    ) == [(5, 5), (8, None)]
    (mover,) = answer(warehouse, "agents_more_expensive_than_last_week")
    assert (mover["last_week_usd_per_run"], mover["this_week_usd_per_run"]) == (1, None)
