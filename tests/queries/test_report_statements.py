"""Tables of the report whose rows follow the checks, and of the runs that pages show."""

from __future__ import annotations

from datetime import UTC, datetime

from analytics.transform.checks import run_checks
from tests.queries.metered import LAST_BATCH, asked, metered, read_workspace
from tests.transform.given import WORKSPACE, Warehouse


def test_differences_fail_the_reconciliation(warehouse: Warehouse) -> None:
    """Runs that cost more than their model costs turn control and workspace to failed.

    The 100 largest findings are kept, the 20 largest are shown, each with the count of all. Those
    that stop publishing are told as such: what is published was forced.
    """
    read_workspace(warehouse)
    for number in range(103):
        run_id = f"r-{number}"
        warehouse.given("runs", run_id=run_id, cost_usd=number + 2)
        warehouse.given("run_costs", run_id=run_id, cost_usd=1)
        warehouse.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id="load-9", request=number, status=200,
            source="run_costs", run_id=run_id,
        )  # fmt: skip
    warehouse.build()
    run_checks(warehouse.con)

    assert warehouse.row(
        "select count(*), min(finding_count), max(finding_number), max(difference_usd),"
        " arg_max(run_id, difference_usd), min(difference_usd)"
        " from audit.control_findings where control = 'run costs'"
    ) == (100, 103, 100, 103, "r-102", 4)
    assert warehouse.row(
        "select count(*), max(difference), min(unit)"
        " from reports.differences where what = 'run costs'"
    ) == (20, 103, "usd")
    assert warehouse.rows(
        "select state, difference, unit from reports.controls where control = 'run costs'"
    ) == [("failed", sum(range(1, 104)), "usd")]
    assert warehouse.row(
        "select state, failed_control_count > 0, stopped_control_count > 0 from reports.trust"
    ) == ("failed", True, True)


def test_a_new_workspace_has_rows_of_zeros(warehouse: Warehouse) -> None:
    """A workspace of which nothing was read yet has a health without findings and no days."""
    warehouse.build()
    run_checks(warehouse.con)

    zeros = warehouse.rows(
        "select run_count, unlisted_cost_usd, open_day_count from reports.rpt_workspace_health"
    )
    assert zeros == [(0, 0, 0)] * 2


def test_on_its_first_morning_a_workspace_has_no_day_to_compare(warehouse: Warehouse) -> None:
    """While no day that was read has ended, nothing is said to be explained or not."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = ?", [LAST_BATCH])
    asked(warehouse, "2026-11-28", "2026-11-29")
    metered(warehouse, date="2026-11-28")
    warehouse.build()
    run_checks(warehouse.con)

    assert ("early", None) in warehouse.rows("select state, metered_cost_usd from reports.trust")


def test_runs_are_bounded(warehouse: Warehouse) -> None:
    """Of each month the 10 newest and the 10 most expensive runs are kept.

    Of the latest two the 300 newest are, and of those that failed the 20 newest.
    """
    warehouse._con.execute("update ledger.workspaces set last_batch_at = '2026-12-01 05:00:00+00'")
    for number in range(24):
        of = {"cost_usd": 24 - number, "created_at": datetime(2026, 7, 1, number, tzinfo=UTC)}
        warehouse.given("runs", run_id=f"r-old-{number:02}", **of)
    for number in range(320):
        warehouse.given(
            "runs", run_id=f"r-{number:03}", cost_usd=320 - number if number >= 5 else 1000,
            created_at=datetime(2026, 11, 1 + number // 24, number % 24, tzinfo=UTC),
            status="failed" if number == 15 else "succeeded",
        )  # fmt: skip
    warehouse.build()

    def ids(relation: str, where: str) -> list[str]:
        sql = f"select run_id from reports.{relation} where {where} order by 1"
        return [run_id for (run_id,) in warehouse.rows(sql)]

    assert ids("rpt_runs", "true") == sorted(
        [f"r-old-{number:02}" for number in range(24) if number not in range(10, 14)]
        + [f"r-{number:03}" for number in (*range(10), 15, *range(20, 320))]
    )
