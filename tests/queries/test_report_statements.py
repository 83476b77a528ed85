"""The statements of the report: each is what its mart holds, and its states follow the checks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analytics.transform.checks import run_checks
from tests.queries.metered import details, read_workspace
from tests.queries.sample import BREAD, OTHER_WORKSPACE, fill, own
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The sample of every mart, built and checked once; tests only read it."""
    with empty_warehouse(tmp_path_factory.mktemp("sample") / "data") as warehouse:
        fill(warehouse)
        warehouse.build()
        run_checks(warehouse.con)
        yield warehouse


def test_differences_fail_the_reconciliation(warehouse: Warehouse) -> None:
    """Runs that cost more than their model costs turn control and workspace to failed.

    The 100 largest findings are kept, the 20 largest are shown, each with the count of all. Those
    that stop publishing are told as such: what is published was forced.
    """
    read_workspace(warehouse)
    for number in range(103):
        run_id = f"r-{number}"
        warehouse.given("runs", run_id=run_id, cost_usd=number + 2)
        details(warehouse, run_id, cost_usd=1)
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


@pytest.mark.parametrize(
    ("relation", "mart", "columns"),
    [
        ("cost_to_bill", "audit.cost_to_bill", "workspace_id, month, step, amount_usd, comment"),
        ("reconciliation_days", "audit.reconciliation_days", "workspace_id, utc_date, status"),
        ("loads", "audit.loads", "workspace_id, load_id, step, record_count, loaded_at"),
        ("provider_keys", "marts.dim_provider_keys", "workspace_id, key_id, added_at"),
        ("adjustments", "marts.fct_adjustments", "workspace_id, agent_id, date, load_id, cause"),
        ("provisional_runs", "marts.fct_runs where not is_final", "workspace_id, run_id"),
    ],
)
def test_a_statement_is_its_source(
    sample: Warehouse, relation: str, mart: str, columns: str
) -> None:
    """A statement that lists a mart has each of its rows once, and no other."""
    rows = sample.rows(f"select {columns} from {mart} order by all")

    assert rows
    assert rows == sample.rows(f"select {columns} from reports.rpt_{relation} order by all")


def test_coverage_counts_each_run_once(sample: Warehouse) -> None:
    """Counts of lines add up to the workspace's, those of workspaces to all, as in the marts."""
    counts = ", ".join(
        f"sum({each}_count)::bigint" for each in ("run", "listed_run", "unlisted_run")
    )
    expected = sample.row(f"select {counts} from marts.fct_agent_days")

    assert expected[2] > 0
    site, lines = "workspace_id = '(all)'", "agent_id <> '(all)'"
    for rows in (site, f"not {site} and not {lines}", lines):
        assert sample.row(f"select {counts} from reports.rpt_coverage where {rows}") == expected
    assert sample.row("select sum(unlisted_run_count)::bigint from reports.rpt_unlisted_days") == (
        expected[2],
    )
    assert sample.row("select count(*) from reports.rpt_coverage where is_fastest") == sample.row(
        "select count(distinct workspace_id) from audit.list_coverage"
    )


def test_health_is_that_of_the_marts(sample: Warehouse) -> None:
    """Each number of a workspace's health is what a count of the marts says of it."""
    of = "where workspace_id = workspaces.workspace_id"
    assert sample.rows("""
        select workspace_id, run_count, unlisted_run_count, open_count, provisional_count,
            adjustment_count, quarantined_count, open_day_count
        from reports.rpt_workspace_health where workspace_id <> '(all)' order by all
    """) == sample.rows(f"""
        select workspace_id,
            (select coalesce(sum(run_count), 0) from marts.fct_agent_days {of}),
            (select coalesce(sum(unlisted_run_count), 0) from marts.fct_agent_days {of}),
            (select count(*) from marts.fct_runs {of} and not is_terminal),
            (select count(*) from marts.fct_runs {of} and is_terminal and not is_final),
            (select count(*) from marts.fct_adjustments {of}),
            (select count(*) from audit.quarantined_records {of}),
            (select count(*) from audit.reconciliation_days {of} and status = 'open')
        from marts.dim_workspaces as workspaces order by all
    """)  # fmt: skip


def test_a_new_workspace_has_rows_of_zeros(warehouse: Warehouse) -> None:
    """A workspace of which nothing was read yet has a health without findings and no days."""
    warehouse.build()
    run_checks(warehouse.con)

    zeros = warehouse.rows(
        "select run_count, unlisted_cost_usd, reconciliation_state, closed_day_count"
        " from reports.rpt_workspace_health"
    )
    assert zeros == [(0, 0, "none", 0)] * 2


def test_reports_know_of_owners_where_there_are_any(warehouse: Warehouse) -> None:
    """A workspace without owners has no row, the site has all workspaces; without rules none."""
    fill(warehouse)
    own(warehouse)
    warehouse.build()
    reports = ("rpt_owner_days", "rpt_agent_owner_days", "rpt_owners")
    assert [warehouse.rows(f"from reports.{each}") for each in reports] == [[]] * 3

    own(warehouse, {"workspace": "BAKERY", "agent": "ba?er", "owner": BREAD})
    warehouse.build()
    of = [
        {key for (key,) in warehouse.rows(f"select distinct workspace_id from reports.{each}")}
        for each in reports
    ]

    assert of == [
        {WORKSPACE, OTHER_WORKSPACE}, {WORKSPACE}, {WORKSPACE, "(all)"},
    ]  # fmt: skip
    for owners, whole in (
        ("select date, sum(cost_usd) from reports.rpt_owner_days", "reports.rpt_workspace_days"),
        ("select date, sum(cost_usd) from reports.rpt_agent_owner_days",
         f"(from reports.rpt_days where workspace_id = '{WORKSPACE}')"),
    ):  # fmt: skip
        expected = f"select date, sum(cost_usd) from {whole} group by all order by all"
        assert warehouse.rows(f"{owners} group by all order by all") == warehouse.rows(expected)
