"""Closed months over several closes: what changes of them later is booked by the next one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from analytics.resources import folder
from tests.queries.closing import close, reopen
from tests.queries.invoiced import DECEMBER, JANUARY, NOVEMBER, OCTOBER, billed, owned
from tests.queries.metered import NOON, metered, read_workspace
from tests.queries.sample import own
from tests.transform.given import WORKSPACE, Warehouse

METERS = ("usage_hours", "agent_billing_days", "billing_days", "agent_rollups", "run_counts")


def load(warehouse: Warehouse, load_id: str, cost: int, bill: str) -> None:
    """A load that reads the meters of a day anew, and replaces all that was metered."""
    ((last,),) = warehouse._con.execute("select nextval('raw.version_ids')").fetchall()
    for table in METERS:
        warehouse._con.execute(
            "insert into raw.superseded select version_id, workspace_id, ?"
            f" from raw.{table} anti join raw.superseded using (version_id)",
            [load_id],
        )
    warehouse.given("run_counts", run_count=1)
    warehouse.given("agent_rollups", run_count=1, cost_usd=cost, tokens_in=100, tokens_out=10)
    metered(warehouse, cost_usd=cost, billed_usd=bill)
    for table in METERS:
        changed = f"update raw.{table} set load_id = ? where version_id > ?"
        warehouse._con.execute(changed, [load_id, last])
    warehouse.insert("ledger.loads", workspace_id=WORKSPACE, load_id=load_id, step="workspace")


def adjustments(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """All adjustments, once closed lines and adjustments are today's figures."""
    warehouse.build()
    require(warehouse, "closed_lines_and_adjustments_are_todays_figures")
    require(warehouse, "closed_lines_are_what_their_loads_gave")
    return warehouse.rows("""
        select booked_month, cause, owner, previous_metered_cost_usd, difference_metered_cost_usd,
            difference_billed_usd, difference_run_count, load_id, is_booked
        from marts.fct_period_adjustments
        order by booked_month, usage_month, cause, agent_id, owner
    """)


def require(warehouse: Warehouse, check: str) -> None:
    sql = (folder("queries") / "checks" / f"{check}.sql").read_text(encoding="utf-8")
    assert warehouse.rows(sql) == []


def test_a_closed_month_over_its_life(warehouse: Warehouse) -> None:
    """A close freezes what it books, and the month after books later changes.

    A second revision has the figures of its own close, and no adjustment of the first.
    """
    read_workspace(warehouse)
    own(warehouse, {"owner": "Ann", "cost_center": "C-1"})
    warehouse.given("runs", cost_usd=2, tokens_in=100, tokens_out=10, finished_at=NOON)
    load(warehouse, "load-1", 2, "2.2")
    close(warehouse, NOVEMBER)
    assert adjustments(warehouse) == []
    assert warehouse.rows(
        "select distinct state, book_state from reports.rpt_statements where month = '2026-11-01'"
    ) == [("closed", "closed, revision 1, 2026-12-05 00:00 UTC")]

    load(warehouse, "load-2", 5, "5.5")
    close(warehouse, DECEMBER)
    own(warehouse, {"owner": "Bob", "cost_center": "C-2"})
    load(warehouse, "load-3", 4, "4.4")
    assert adjustments(warehouse) == [
        (DECEMBER, "cost_corrected", "Ann", 2, 3, Decimal("3.3"), 0, "load-2", True),
        (JANUARY, "cost_corrected", "Ann", 5, -1, Decimal("-1.1"), 0, "load-3", False),
        (JANUARY, "owner_changed", "Ann", 4, -4, Decimal("-4.4"), -1, "load-3", False),
        (JANUARY, "owner_changed", "Bob", 0, 4, Decimal("4.4"), 1, "load-3", False),
    ]
    assert warehouse.rows(
        "select month, booked_month, sum(difference_billed_usd)"
        " from reports.rpt_later_adjustments group by all order by all"
    ) == [(NOVEMBER, DECEMBER, Decimal("3.3")), (NOVEMBER, JANUARY, Decimal("-1.1"))]
    assert warehouse.rows(
        "select revision, owner, billed_usd from marts.fct_month_lines"
        " where usage_month = '2026-11-01'"
    ) == [(1, "Ann", Decimal("2.2"))]

    for month in (DECEMBER, NOVEMBER):
        reopen(warehouse, month)
    assert adjustments(warehouse) == []
    assert "closed" not in {
        status for (status,) in warehouse.rows("select status from marts.dim_months")
    }
    close(warehouse, NOVEMBER, revision=2)
    assert adjustments(warehouse) == []
    assert warehouse.rows("select revision, owner, billed_usd from finance.closed_lines") == [
        (2, "Bob", Decimal("4.4"))
    ]


def test_a_month_closed_without_a_line(warehouse: Warehouse) -> None:
    """What arrives later of a month that was closed with nothing is an adjustment like any."""
    owned(warehouse, provider_payable="2010")
    warehouse.given("provider_keys", created_at="2026-01-01 00:00Z")
    use_own_key(warehouse, OCTOBER, 10)
    bill = billed(warehouse, OCTOBER, "a-1", "10", billed_usd="0")
    close(warehouse, OCTOBER)
    use_own_key(warehouse, OCTOBER, 2)
    warehouse.replaced(
        bill, "agent_billing_days", agent_id="a-1", date="2026-10-10", cost_usd=12, billed_usd=0
    )
    close(warehouse, NOVEMBER)
    use_own_key(warehouse, NOVEMBER, 3)
    billed(warehouse, NOVEMBER, "a-1", "3", billed_usd="0")
    warehouse.given("runs", agent_id="a-1", cost_usd=0, created_at=NOON)
    warehouse.build()

    assert warehouse.rows(
        "select usage_month, booked_month, sum(difference_metered_cost_usd)"
        " from marts.fct_period_adjustments group by all order by all"
    ) == [(OCTOBER, NOVEMBER, 2), (NOVEMBER, DECEMBER, 3)]
    require(warehouse, "closed_lines_and_adjustments_are_todays_figures")
    require(warehouse, "own_key_expense_is_own_key_cost")


def use_own_key(warehouse: Warehouse, month: date, cost: int) -> None:
    """Usage of the tenth of the month by a key of one's own."""
    day = month.replace(day=10)
    warehouse.given(
        "usage_hours", agent_id="a-1", date=day, hour=f"{day} 12:00Z", provider="anthropic",
        cost_usd=cost,
    )  # fmt: skip
