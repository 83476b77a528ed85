"""Tables of the report whose rows follow the checks."""

from __future__ import annotations

from analytics.transform.checks import run_checks
from tests.queries.metered import read_workspace
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
    assert warehouse.rows("from reports.rpt_controls") == []  # states wait for the checks
    run_checks(warehouse.con)

    assert warehouse.row(
        "select count(*), min(finding_count), max(finding_number), max(difference_usd),"
        " arg_max(run_id, difference_usd), min(difference_usd)"
        " from reports.control_findings where control = 'run costs'"
    ) == (100, 103, 100, 103, "r-102", 4)
    assert warehouse.row(
        "select count(*), max(finding_number), min(finding_count), max(difference), min(unit)"
        " from reports.rpt_control_findings where control = 'run costs'"
    ) == (20, 20, 103, 103, "usd")
    assert warehouse.rows(
        "select state, ours - theirs, unit, finding_count from reports.rpt_controls"
        " where control = 'run costs'"
    ) == [("failed", sum(range(1, 104)), "usd", 103)]
    assert warehouse.row(
        "select state, failed_control_count > 0, stopped_control_count > 0"
        " from reports.rpt_reconciliation"
    ) == ("failed", True, True)
    assert warehouse.rows(
        "select distinct reconciliation_state from reports.rpt_workspace_health"
    ) == [("failed",)]


def test_a_new_workspace_has_rows_of_zeros(warehouse: Warehouse) -> None:
    """A workspace of which nothing was read yet has a health without findings and no days."""
    warehouse.build()
    run_checks(warehouse.con)

    zeros = warehouse.rows(
        "select run_count, unlisted_cost_usd, reconciliation_state, closed_day_count"
        " from reports.rpt_workspace_health"
    )
    assert zeros == [(0, 0, "none", 0)] * 2
