"""Closed months, and what changes of them later: corrections and adjustments of the next month."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from analytics.resources import folder
from tests.queries.closing import close, reopen
from tests.queries.invoiced import OCTOBER, billed, owned
from tests.queries.metered import NOON, metered, read_workspace, rolled_up, run
from tests.queries.sample import own
from tests.transform.given import WORKSPACE, Warehouse

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
METERS = ("usage_hours", "agent_billing_days", "billing_days", "agent_rollups", "run_counts")


@pytest.fixture
def closed(warehouse: Warehouse) -> Warehouse:
    """November is closed with one run of 2 dollars, billed at 2.20, whose owner is Ann."""
    read_workspace(warehouse)
    own(warehouse, {"owner": "Ann", "cost_center": "C-1"})
    with load(warehouse, "load-1"):
        run(warehouse)
        rolled_up(warehouse, 1)
        metered(warehouse, billed_usd="2.2")
    close(warehouse, NOVEMBER)
    return warehouse


@contextmanager
def load(warehouse: Warehouse, load_id: str, *, workspace_id: str = WORKSPACE) -> Iterator[None]:
    """A load that reads the meters anew: what the block gives replaces all that was metered."""
    ((last,),) = warehouse._con.execute("select nextval('raw.version_ids')").fetchall()
    for table in METERS:
        warehouse._con.execute(
            "insert into raw.superseded select version_id, workspace_id, ?"
            f" from raw.{table} anti join raw.superseded using (version_id)"
            " where workspace_id = ?",
            [load_id, workspace_id],
        )
    yield
    for table in (*METERS, "runs"):
        changed = f"update raw.{table} set load_id = ? where version_id > ?"
        warehouse._con.execute(changed, [load_id, last])
    warehouse.insert(
        "ledger.loads", workspace_id=workspace_id, load_id=load_id, step="workspace"
    )  # fmt: skip


def adjustments(warehouse: Warehouse, columns: str) -> list[tuple[Any, ...]]:
    """Columns of all adjustments, once closed lines and adjustments are today's figures."""
    warehouse.build()
    for name in ("and_adjustments_are_todays_figures", "are_what_their_loads_gave"):
        check = folder("queries") / "checks" / f"closed_lines_{name}.sql"
        assert warehouse.rows(check.read_text(encoding="utf-8")) == []
    return warehouse.rows(
        f"select {columns} from marts.fct_period_adjustments"
        " order by booked_month, usage_month, cause, agent_id, owner"
    )


AMOUNTS = (
    "booked_month, cause, owner,"
    " previous_metered_cost_usd, difference_metered_cost_usd, difference_billed_usd,"
    " difference_run_count, difference_listed_run_count, load_id, is_booked"
)


def test_a_month_as_it_was_closed(closed: Warehouse) -> None:
    """A closed month has its lines, and no adjustment while nothing of it changes."""
    assert adjustments(closed, AMOUNTS) == []
    assert closed.rows(
        "select usage_month, revision, agent_id, owner,"
        " metered_cost_usd, billed_usd, surcharge_usd, run_count,"
        " listed_run_count from marts.fct_month_lines"
    ) == [(NOVEMBER, 1, "a-1", "Ann", 2, Decimal("2.2"), Decimal("0.2"), 1, 1)]
    assert closed.rows("select status, revision from marts.dim_months where status = 'closed'") == [
        ("closed", 1)
    ]
    assert closed.rows(
        "select distinct state, book_state from reports.rpt_statements where month = '2026-11-01'"
    ) == [("closed", "closed, revision 1, 2026-12-05 00:00 UTC")]


def test_a_new_owner_and_a_late_run(closed: Warehouse) -> None:
    """The late run stands at the owner of the books, and the whole day moves to the new one."""
    own(closed, {"owner": "Bob", "cost_center": "C-2"})
    with load(closed, "load-2"):
        run(closed, "r-2", cost_usd=3)
        rolled_up(closed, 2, cost_usd=5)
        metered(closed, cost_usd=5, billed_usd="5.5")

    assert adjustments(closed, AMOUNTS) == [
        (DECEMBER, "late_run", "Ann", 2, 3, Decimal("3.3"), 1, 1, "load-2", False),
        (DECEMBER, "owner_changed", "Ann", 5, -5, Decimal("-5.5"), -2, -2, "load-2", False),
        (DECEMBER, "owner_changed", "Bob", 0, 5, Decimal("5.5"), 2, 2, "load-2", False),
    ]
    closed.build("Pacific/Auckland")  # where the first run is of the day after
    assert closed.rows(
        "select sum(difference_run_count), sum(difference_billed_usd)"
        " from marts.fct_period_adjustments"
    ) == [(1, Decimal("3.3"))]


def test_a_run_that_is_removed(closed: Warehouse) -> None:
    """A day that loses its run keeps its line, taken back by an adjustment, at its owner."""
    with load(closed, "load-2"):
        closed.insert("raw.superseded", version_id=closed.row(
            "select max(version_id) from raw.runs"
        )[0], workspace_id=WORKSPACE, load_id="load-2")  # fmt: skip

    assert adjustments(closed, AMOUNTS) == [
        (DECEMBER, "run_removed", "Ann", 2, -2, Decimal("-2.2"), -1, -1, "load-2", False)
    ]


def test_two_closes_in_a_row(closed: Warehouse) -> None:
    """A close freezes the adjustments that it books; the month after books a later change."""
    with load(closed, "load-2"):
        rolled_up(closed, 1, cost_usd=5)
        metered(closed, cost_usd=5, billed_usd="5.5")
    close(closed, DECEMBER)
    own(closed, {"owner": "Bob", "cost_center": "C-2"})
    with load(closed, "load-3"):
        rolled_up(closed, 1, cost_usd=4)
        metered(closed, cost_usd=4, billed_usd="4.4")

    assert adjustments(closed, AMOUNTS) == [
        (DECEMBER, "cost_corrected", "Ann", 2, 3, Decimal("3.3"), 0, 0, "load-2", True),
        (JANUARY, "cost_corrected", "Ann", 5, -1, Decimal("-1.1"), 0, 0, "load-3", False),
        (JANUARY, "owner_changed", "Ann", 4, -4, Decimal("-4.4"), -1, -1, "load-3", False),
        (JANUARY, "owner_changed", "Bob", 0, 4, Decimal("4.4"), 1, 1, "load-3", False),
    ]
    assert closed.rows(
        "select month, owner, cause, difference_billed_usd from reports.rpt_period_adjustments"
        " order by month, cause, owner"
    ) == [
        (DECEMBER, "Ann", "cost corrected", Decimal("3.3")),
        (JANUARY, "Ann", "cost corrected", Decimal("-1.1")),
        (JANUARY, "Ann", "owner changed", Decimal("-4.4")),
        (JANUARY, "Bob", "owner changed", Decimal("4.4")),
    ]
    assert closed.rows(
        "select month, booked_month, sum(difference_billed_usd)"
        " from reports.rpt_later_adjustments group by all order by all"
    ) == [(NOVEMBER, DECEMBER, Decimal("3.3")), (NOVEMBER, JANUARY, Decimal("-1.1"))]


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
    for name in (
        "closed_lines_and_adjustments_are_todays_figures",
        "own_key_expense_is_own_key_cost",
    ):
        check = folder("queries") / "checks" / f"{name}.sql"
        assert warehouse.rows(check.read_text(encoding="utf-8")) == []


def test_a_month_closed_anew(closed: Warehouse) -> None:
    """A second revision has the figures of its own close, and no adjustment of the first."""
    with load(closed, "load-2"):
        rolled_up(closed, 1, cost_usd=5)
        metered(closed, cost_usd=5, billed_usd="5.5")
    reopen(closed, NOVEMBER)
    assert adjustments(closed, AMOUNTS) == []
    assert closed.rows("select status from marts.dim_months where month = ?", NOVEMBER) != [
        ("closed",)
    ]

    close(closed, NOVEMBER, revision=2)

    assert adjustments(closed, AMOUNTS) == []
    assert closed.row("select revision, metered_cost_usd from finance.closed_lines") == (2, 5)


def test_a_workspace_that_is_new(closed: Warehouse) -> None:
    """Usage of a closed month in a workspace that the close did not know is late."""
    closed.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Labs")
    with load(closed, "load-2", workspace_id="w-2"):
        read_workspace(closed, "w-2")
        place = {"workspace_id": "w-2"}
        rolled_up(closed, 1, **place)
        metered(closed, billed_usd="2.2", **place)

    assert adjustments(closed, f"workspace_id, {AMOUNTS}") == [
        ("w-2", DECEMBER, "late_run", "Ann", 0, 2, Decimal("2.2"), 1, 0, "load-2", False)
    ]


def use_own_key(warehouse: Warehouse, month: date, cost: int) -> None:
    """Usage of the tenth of the month by a key of one's own."""
    day = month.replace(day=10)
    warehouse.given(
        "usage_hours", agent_id="a-1", date=day, hour=f"{day} 12:00Z", provider="anthropic",
        cost_usd=cost,
    )  # fmt: skip
