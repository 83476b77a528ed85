"""From the cost of runs to the bill by month, and the differences that controls keep."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics.resources import folder
from analytics.transform.checks import Thresholds, _all_checks, _run, run_checks
from tests.transform.given import WORKSPACE, Warehouse

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
LAST_BATCH = datetime(2026, 11, 28, 5, tzinfo=UTC)
ADHOC = (folder("queries") / "adhoc" / "cost_to_bill.sql").read_text(encoding="utf-8")


@pytest.fixture
def read(warehouse: Warehouse) -> Warehouse:
    """A workspace whose meters were read from the middle of October on."""
    _read_meters(warehouse, WORKSPACE)
    return warehouse


def _read_meters(warehouse: Warehouse, workspace_id: str) -> None:
    warehouse.con.execute("update ledger.workspaces set last_batch_at = ?", [LAST_BATCH])
    for request, source in enumerate(("usage_hours", "run_counts")):
        warehouse.insert(
            "ledger.requests", workspace_id=workspace_id, load_id="load-1", request=request,
            source=source, agent_id="a-1", status=200, fetched_at=LAST_BATCH,
            window_start="2026-10-15", window_end="2026-11-29",
        )  # fmt: skip


def _steps(warehouse: Warehouse, month: date) -> dict[str, Any]:
    return dict(
        warehouse.rows(
            "select step, amount_usd from audit.cost_to_bill where month = ? and workspace_id = ?"
            " order by step_number",
            month,
            WORKSPACE,
        )
    )


def _a_run_across_months(warehouse: Warehouse, **of: Any) -> None:
    """A run of 5 dollars, created on the last of October, that used 2 of them in November."""
    started = datetime(2026, 10, 31, 23, tzinfo=UTC)
    ended = datetime(2026, 11, 1, 1, tzinfo=UTC)
    warehouse.given("runs", cost_usd=5, created_at=started, finished_at=ended, **of)
    warehouse.given("run_counts", run_count=1, date="2026-10-31", **of)
    warehouse.given("agent_rollups", run_count=1, cost_usd=5, date="2026-10-31", **of)
    for day, hour, cost_usd in (("2026-10-31", 23, 3), ("2026-11-01", 0, 2)):
        hour_of = f"{day} {hour:02}:00Z"
        usage = {"date": day, "cost_usd": cost_usd} | of
        warehouse.given("usage_hours", agent_id="a-1", hour=hour_of, provider="anthropic", **usage)
        warehouse.given("billing_days", billed_usd=Decimal(cost_usd) * Decimal("1.1"), **usage)


def _failed(warehouse: Warehouse) -> set[str]:
    return {each.name for each in run_checks(warehouse.con) if not each.ok}


def test_a_month_leads_from_runs_to_the_bill(read: Warehouse) -> None:
    """The timing difference moves cost from the month of creation to that of the request."""
    _a_run_across_months(read)
    read.build()

    assert _steps(read, OCTOBER) == {
        "cost of runs": 5,
        "timing difference": -2,
        "unexplained": 0,
        "metered": 3,
        "meter to bill": 0,
        "surcharge": Decimal("0.3"),
        "own-key cost": 0,
        "billed": Decimal("3.3"),
    }
    assert list(_steps(read, NOVEMBER).values()) == [
        0, 2, 0, 2, 0, Decimal("0.2"), 0, Decimal("2.2"),
    ]  # fmt: skip
    assert "cost_to_bill_adds_up" not in _failed(read)


def test_own_key_cost_is_subtracted(read: Warehouse) -> None:
    """Usage of the workspace's own key is metered, and not billed but for the surcharge."""
    read.given("usage_hours", cost_usd=4, provider="openai", date="2026-11-10",
               hour="2026-11-10 09:00Z")  # fmt: skip
    read.given("billing_days", cost_usd=4, billed_usd=0, provider="openai", date="2026-11-10")
    read.given("provider_keys", provider="openai", created_at=datetime(2026, 11, 1, tzinfo=UTC))
    read.build()

    steps = _steps(read, NOVEMBER)
    assert (steps["metered"], steps["surcharge"], steps["own-key cost"], steps["billed"]) == (
        4, 0, -4, 0,
    )  # fmt: skip
    assert "cost_to_bill_adds_up" not in _failed(read)


def test_a_meter_that_differs_from_the_bill_has_a_step(read: Warehouse) -> None:
    """Where the two sources of cost differ, a step names it, and the control reports it."""
    read.given("usage_hours", cost_usd=4, provider="openai", date="2026-11-10",
               hour="2026-11-10 09:00Z")  # fmt: skip
    read.given("billing_days", cost_usd=6, billed_usd=7, provider="openai", date="2026-11-10")
    read.build()

    steps = _steps(read, NOVEMBER)
    assert (steps["metered"], steps["meter to bill"], steps["surcharge"], steps["billed"]) == (
        4, 2, 1, 7,
    )  # fmt: skip
    assert steps["unexplained"] == 4  # no run and no platform usage accounts for it
    failed = _failed(read)
    assert "hourly_usage_agrees_with_the_bill" in failed
    assert "cost_to_bill_adds_up" not in failed
    assert read.rows(
        "select workspace_id, finding_number, finding_count, utc_date, provider, measure, ours,"
        " theirs, difference_usd, agent_id, run_id"
        " from reports.control_findings where control = 'bill'"
    ) == [(WORKSPACE, 1, 1, date(2026, 11, 10), "openai", "cost_usd", 4, 6, -2, None, None)]


def test_a_bill_of_unknown_cost_still_adds_up(read: Warehouse) -> None:
    """Of a bill whose cost the API leaves out, the surcharge is unknown, but not the bill."""
    read.given("billing_days", cost_usd=None, billed_usd=3, date="2026-11-10")
    read.build()

    steps = _steps(read, NOVEMBER)
    assert (steps["metered"], steps["surcharge"], steps["billed"]) == (0, None, 3)
    assert "cost_to_bill_adds_up" not in _failed(read)


def test_a_step_that_is_off_is_found(read: Warehouse) -> None:
    """A step that is off by the last digit fails the check, as does a bill without steps."""
    _a_run_across_months(read)
    read.build()
    con = read.con
    (check,) = (
        each for each in _all_checks(con, folder("queries")) if each.name == "cost_to_bill_adds_up"
    )
    off = "update audit.cost_to_bill set amount_usd = amount_usd + 0.0000000001"
    october = "where month = '2026-10-01'"
    changes = [f"{off} {october} and step_number = {step}" for step in range(1, 9)]
    passed = []
    for change in (*changes, f"delete from audit.cost_to_bill {october}"):
        con.begin()
        con.execute(change)
        if _run(con, check, Thresholds()).ok:
            passed.append(change)
        con.rollback()

    assert _run(con, check, Thresholds()).ok
    assert passed == []


def test_all_workspaces_are_one_group_by(read: Warehouse) -> None:
    """The ad hoc question adds up workspaces, or asks for one of them."""
    read.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Other")
    _read_meters(read, "w-2")
    _a_run_across_months(read)
    _a_run_across_months(read, workspace_id="w-2")
    read.build()

    both = read.rows(ADHOC)
    one = read.rows(ADHOC.replace("'%'", "'Other'"))

    assert both[0] == (1, "cost of runs", NOVEMBER, 0)
    assert both[8] == (1, "cost of runs", OCTOBER, 10)
    assert one[8] == (1, "cost of runs", OCTOBER, 5)
    assert [each[3] for each in both] == [2 * each[3] for each in one]


def test_findings_are_kept_by_workspace(read: Warehouse) -> None:
    """Of very many differences the largest are kept, with how many there are."""
    noon = datetime(2026, 11, 10, 12, tzinfo=UTC)
    for number in range(103):
        run_id = f"r-{number}"
        read.given("runs", run_id=run_id, cost_usd=number + 2, created_at=noon)
        read.given("run_costs", run_id=run_id, cost_usd=1)
        read.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=10 + number,
            source="run_costs", run_id=run_id, status=200, fetched_at=LAST_BATCH,
        )  # fmt: skip
    read.build()
    run_checks(read.con)

    assert read.row(
        "select count(*), min(finding_count), max(finding_number), max(difference_usd),"
        " arg_max(run_id, difference_usd), min(difference_usd)"
        " from reports.control_findings where control = 'run costs'"
    ) == (100, 103, 100, 103, "r-102", 4)
