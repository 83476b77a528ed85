"""Amounts that the API does not give: what holds one is unknown, never zero and never a part."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from analytics.resources import folder
from tests.queries.closing import close
from tests.queries.invoiced import NOVEMBER, OCTOBER
from tests.queries.metered import controls, metered, read_workspace, reconciled, rolled_up, run
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


def test_a_line_of_the_bill_without_an_amount(december: Warehouse) -> None:
    """A month with such a line has no bill and no surcharge, in bridge and bill by provider."""
    asked(december, "2026-10-31", "2026-12-06")
    billed(december, "2026-11-10", 10, 12)
    billed(december, "2026-11-11", 10, None)
    december.build()

    assert december.rows(
        "select step, amount_usd from audit.cost_to_bill where month = '2026-11-01'"
        " and step_number > 4 order by step_number"
    ) == [("meter to bill", 20), ("surcharge", None), ("own-key cost", 0), ("billed", None)]
    (row,) = answer(december, "cost_against_bill_by_provider")
    assert (row["metered_cost_usd"], row["surcharge_usd"], row["billed_usd"]) == (20, None, None)


def test_a_cost_center_without_a_bill(december: Warehouse) -> None:
    """A cost center of whose bill nothing is known is billed nothing known, not zero."""
    asked(december, "2026-10-31", "2026-12-06")
    billed(december, "2026-11-10", 10, None)
    december.build()

    assert december.rows(
        "select cost_center, direct_usd, shared_usd, billed_usd, metered_cost_usd"
        " from reports.rpt_cost_centers"
    ) == [("(none)", None, 0, None, 10)]


def test_a_month_that_books_adjustments_alone(december: Warehouse) -> None:
    """A workspace without usage has a statement too: all of them add up to that of the site."""
    for workspace_id in (WORKSPACE, CAFE):
        asked(december, "2026-10-31", "2026-12-06", workspace_id)
    billed(december, "2026-11-10", 10, 12)
    version = billed(december, "2026-11-10", 10, 12, workspace_id=CAFE)
    billed(december, "2026-12-02", 1, 1)
    for month in (OCTOBER, NOVEMBER):
        close(december, month)
    december.replaced(
        version, "agent_billing_days", workspace_id=CAFE, date="2026-11-10", cost_usd=10,
        billed_usd=15, load_id="20261204T050000Z-004-meters",
    )  # fmt: skip
    december.build()

    assert december.rows(
        "select workspace_id, line_billed_usd, earlier_billed_usd, to_book_usd, book_state"
        " from reports.rpt_statements where month = '2026-12-01' order by workspace_id"
    ) == [
        ("(all)", 1, 3, 4, "not closed, open"),
        (WORKSPACE, 1, 0, 1, "not closed, open"),
        (CAFE, 0, 3, 3, "not closed, incomplete"),
    ]


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


def test_a_refused_platform(december: Warehouse) -> None:
    """Where it is refused, its cost of a month is unknown, and months count the days.

    So do they where a platform agent has no cost.
    """
    asked(december, "2026-10-31", "2026-12-06", platform_rollups="2026-11-16")
    december.given("runs", run_id="r-1", created_at="2026-12-03 12:00Z", cost_usd=2)
    for day in ("2026-11-10", "2026-11-20"):
        december.given("billing_days", date=day, cost_usd=10, billed_usd=0)
    december.given("platform_rollups", date="2026-11-10", cost_usd=10, run_count=1)
    for agent, cost in (("p-1", 3), ("p-2", None)):
        december.given(
            "platform_rollups", date="2026-10-31", platform_agent_id=agent, cost_usd=cost,
            run_count=1,
        )  # fmt: skip
    december.build()

    assert december.rows(
        "select agent_id, cost_usd, platform_cost_usd, tokens_in from reports.rpt_periods"
        " where workspace_id = 'w-1' and period = 'yesterday' order by agent_id"
    ) == [("(all)", 0, None, 0), ("(platform)", None, None, None), ("a-1", 0, 0, 0)]
    for month, count in (("2026-10-01", 1), ("2026-11-01", 15), ("2026-12-01", 5)):
        for table in ("agent", "workspace"):
            assert december.rows(
                f"select unknown_platform_count from marts.fct_{table}_months"
                f" where month = '{month}' and unknown_platform_count > 0"
            ) == [(count,)]
        assert december.rows(
            "select workspace_id, agent_id, unknown_platform_count from reports.rpt_months"
            f" where month = '{month}' and unknown_platform_count > 0 order by all"
        ) == [("(all)", "(all)", count), ("w-1", "(all)", count), ("w-1", "(platform)", count)]
    assert december.rows(
        "select agent_id, unknown_platform_count from reports.rpt_forecasts"
        " where workspace_id = 'w-1' order by agent_id"
    ) == [("(all)", 4), ("(platform)", 4), ("a-1", 0)]


def test_a_day_of_unknown_outcomes(december: Warehouse) -> None:
    """Of a month with such a day, the number of unlisted runs that failed is unknown."""
    asked(december, "2026-11-01", "2026-12-06", run_counts="2026-11-20")
    december.given("run_counts", date="2026-11-18", run_count=5)
    for day, count in (("2026-11-18", 5), ("2026-11-20", 10)):
        december.given("agent_rollups", date=day, run_count=count, cost_usd=count)
    december.build()

    assert december.rows(
        "select unlisted_run_count, unlisted_failed_count, failed_cost_high_usd"
        " from marts.fct_agent_months where month = '2026-11-01' and agent_id = 'a-1'"
    ) == [(15, None, 10)]
    (row,) = answer(december, "unlisted_runs")
    assert (row["unlisted_run_count"], row["unlisted_failed_count"]) == (15, None)


@pytest.mark.parametrize(("first", "left_out"), [("2026-11-01", 0), ("2026-11-11", 10)])
def test_a_last_month_that_was_read_in_part(december: Warehouse, first: str, left_out: int) -> None:
    """The headline of the last full month counts the days that it lacks."""
    asked(december, first, "2026-12-06")
    december.given("runs", agent_id="a-1", created_at="2026-11-12 09:00Z", cost_usd=1)
    december.build()

    assert (
        december.rows(
            "select last_month_cost_usd, last_month_incomplete_day_count from reports.rpt_headlines"
            " where line_type in ('workspace', 'agent') and workspace_id = 'w-1'"
        )
        == [(1, left_out)] * 2
    )


@pytest.mark.parametrize(
    ("source", "column", "expected"),
    [
        ("agent_rollups", "cost_usd", (50, None, "pending")),
        ("usage_hours", "cost_usd", (None, None, "pending")),
        ("billing_days", "cost_usd", (50, 0, "reconciled")),
        ("run_costs", "cost_usd", (50, 0, "reconciled")),
        ("run_costs", "tokens_out", (50, 0, "reconciled")),
    ],
)
def test_an_amount_that_the_api_does_not_give_is_compared_with_none(
    warehouse: Warehouse, source: str, column: str, expected: tuple[Any, ...]
) -> None:
    """No control fails by it; a day whose meter or roll-up lacks one is not reconciled."""
    read_workspace(warehouse)
    run(warehouse, cost_usd=50)
    rolled_up(warehouse, 1, cost_usd=50)
    metered(warehouse, cost_usd=50)
    warehouse.con.execute(f"update raw.{source} set {column} = null")
    warehouse.build()

    assert reconciled(warehouse, "metered_cost_usd", "unexplained_usd", "status") == expected
    assert controls(warehouse) == {}


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
