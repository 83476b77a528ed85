"""The statements of the report: each is what its mart holds, and its states follow the checks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics.transform.checks import run_checks
from tests.queries.metered import (
    DAY,
    details,
    metered,
    read_workspace,
    rolled_up,
    run,
)
from tests.queries.sample import OTHER_WORKSPACE, fill
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

ALL = "(all)"


@pytest.fixture
def read(warehouse: Warehouse) -> Warehouse:
    read_workspace(warehouse)
    return warehouse


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The sample of every mart, built and checked once; tests only read it."""
    with empty_warehouse(tmp_path_factory.mktemp("sample") / "data") as warehouse:
        fill(warehouse)
        checked(warehouse)
        yield warehouse


def checked(warehouse: Warehouse) -> None:
    warehouse.build()
    run_checks(warehouse.con)


def agreeing(warehouse: Warehouse, **of: Any) -> None:
    """A run of which every source of the API says the same."""
    run(warehouse, **of)
    rolled_up(warehouse, 1)
    metered(warehouse)


def differing(warehouse: Warehouse, first: str, second: str) -> list[tuple[Any, ...]]:
    """Rows of either query that the other has not."""
    return warehouse.rows(
        f"(({first}) except all ({second})) union all (({second}) except all ({first}))"
    )


def test_what_agrees_has_passed(read: Warehouse) -> None:
    """Where all sources agree, controls pass, the reconciliation too, and no finding is kept."""
    agreeing(read)
    checked(read)

    assert read.row(
        "select state, failed_control_count, finding_count, unexplained_usd,"
        " stopped_control_count > 0 from reports.rpt_reconciliation"
    ) == ("passed", 0, 0, 0, False)
    assert read.rows("select distinct state from reports.rpt_controls order by 1") == [
        ("nothing to compare",),
        ("passed",),
    ]
    assert read.rows("from reports.rpt_control_findings") == []


def test_a_difference_fails_the_reconciliation(read: Warehouse) -> None:
    """A run that costs more than its model costs turns its control, and the workspace, to failed.

    The large difference of a closed day stops publishing, so that what is published was forced.
    """
    read.given("runs", cost_usd=45, started_at=None, finished_at=None)
    details(read, "r-1", cost_usd=2)
    checked(read)

    assert read.rows(
        "select state, ours, theirs, unit, finding_count"
        " from reports.rpt_controls where control = 'run costs'"
    ) == [("failed", 45, 2, "usd", 1)]
    assert read.row(
        "select run_id, difference, measure, unit from reports.rpt_control_findings"
        " where control = 'run costs'"
    ) == ("r-1", 43, "cost_usd", "usd")
    assert read.row(
        "select state, failed_control_count > 0, stopped_control_count > 0"
        " from reports.rpt_reconciliation"
    ) == ("failed", True, True)
    assert read.rows("select distinct reconciliation_state from reports.rpt_workspace_health") == [
        ("failed",)
    ]


def test_states_wait_for_the_checks(read: Warehouse) -> None:
    """Before the checks no control has a state; the build after them shows what they found."""
    agreeing(read)
    read.build()

    assert read.rows("from reports.rpt_controls") == []
    run_checks(read.con)
    assert read.row("select count(distinct control) from reports.rpt_controls") == (8,)


def test_at_most_20_findings_are_shown(read: Warehouse) -> None:
    """Of many findings the 20 largest are there, each with the count of all."""
    for number in range(23):
        read.given("runs", run_id=f"r-{number}", cost_usd=10 + number)
        details(read, f"r-{number}", cost_usd=1)
    checked(read)

    assert read.row(
        "select count(*), max(finding_number), min(finding_count), max(difference)"
        " from reports.rpt_control_findings"
        " where check_name = 'listed_runs_agree_with_their_model_costs'"
    ) == (20, 20, 23, 31)


def test_an_old_unexplained_day(read: Warehouse) -> None:
    """Usage that nothing explains names its line and its hour, and fails the reconciliation."""
    metered(read, agent_id=None, cost_usd=1, date=DAY, hour=f"{DAY} 03:00Z")
    checked(read)

    assert read.row(
        "select unreconciled_day_count, unexplained_usd from reports.rpt_reconciliation"
    ) == (1, 1)
    assert read.row(
        "select utc_date, agent_id, status, unexplained_usd from reports.rpt_unexplained_agents"
    ) == (DAY, "(platform)", "unreconciled", 1)


def test_differences_that_cancel_out(read: Warehouse) -> None:
    """Differences of two days, and of two agents of a day, add up without their signs."""
    metered(read, agent_id=None, cost_usd=4, date=DAY, hour=f"{DAY} 03:00Z")
    run(read, "r-2", cost_usd=3)
    rolled_up(read, 1, cost_usd=3)
    before = DAY.replace(day=17)
    noon = datetime(2026, 11, 17, 12, tzinfo=UTC)
    run(read, created_at=noon, started_at=noon)
    rolled_up(read, 1, date=before)
    checked(read)

    assert read.rows(
        "select utc_date, unexplained_usd from reports.rpt_reconciliation_days"
        " where unexplained_usd <> 0 order by utc_date"
    ) == [(before, -2), (DAY, 1)]
    assert read.row("select unexplained_usd from reports.rpt_reconciliation") == (9,)
    assert (
        read.rows("select unexplained_usd, unreconciled_usd from reports.rpt_workspace_health")
        == [(9, 9)] * 2
    )


@pytest.mark.parametrize(
    ("relation", "mart", "columns"),
    [
        (
            "rpt_cost_to_bill",
            "audit.cost_to_bill",
            "workspace_id, month, step, amount_usd, comment",
        ),
        ("rpt_reconciliation_days", "audit.reconciliation_days", "workspace_id, utc_date, status"),
        ("rpt_loads", "audit.loads", "workspace_id, load_id, step, record_count, loaded_at"),
        ("rpt_provider_keys", "marts.dim_provider_keys", "workspace_id, key_id, added_at"),
        (
            "rpt_adjustments",
            "marts.fct_adjustments",
            "workspace_id, agent_id, date, load_id, cause",
        ),
    ],
)
def test_a_statement_is_its_source(
    sample: Warehouse, relation: str, mart: str, columns: str
) -> None:
    """A statement that lists a mart has each of its rows once, and no other."""
    assert sample.rows(f"from {mart}")
    assert (
        differing(
            sample, f"select {columns} from reports.{relation}", f"select {columns} from {mart}"
        )
        == []
    )


def test_coverage_counts_each_run_once(sample: Warehouse) -> None:
    """Counts of lines add up to the workspace's, those of workspaces to all, as in the marts."""
    counts = (
        "sum(run_count)::bigint, sum(listed_run_count)::bigint, sum(unlisted_run_count)::bigint"
    )
    expected = sample.row(f"select {counts} from marts.fct_agent_days")

    assert expected[2] > 0
    for rows in ("workspace_id = $1 and agent_id = $1", "workspace_id <> $1 and agent_id = $1",
                 "agent_id <> $1"):  # fmt: skip
        assert (
            sample.row(f"select {counts} from reports.rpt_coverage where {rows}", ALL) == expected
        )
    assert sample.row("select sum(unlisted_run_count)::bigint from reports.rpt_unlisted_days") == (
        expected[2],
    )
    assert sample.row("select count(*) from reports.rpt_coverage where is_fastest") == sample.row(
        "select count(distinct workspace_id) from audit.list_coverage"
    )


def test_unknown_cost_of_unlisted_runs_is_not_zero(read: Warehouse) -> None:
    """Unlisted runs of which no cost is known have none."""
    read.given("run_counts", run_count=3)
    checked(read)

    assert read.rows(
        "select distinct unlisted_run_count, unlisted_cost_usd from reports.rpt_coverage"
    ) == [(3, None)]


def test_provisional_runs(sample: Warehouse) -> None:
    """Every run that is not final is listed with its state."""
    assert sample.rows(
        "select state, count(*) from reports.rpt_provisional_runs group by state order by state"
    ) == sample.rows("""
        select if(is_terminal, 'provisional', 'open') as state, count(*)
        from marts.fct_runs where not is_final group by state order by state""")


def test_quarantined_records_are_counted_by_reason(warehouse: Warehouse) -> None:
    """A reason has one row with its number of records and the loads that they came by."""
    for line, (load_id, reason) in enumerate(
        [("load-1", "no id"), ("load-2", "no id"), ("load-2", None)]
    ):
        warehouse.insert(
            "ledger.quarantine", workspace_id=WORKSPACE, load_id=load_id, source="runs",
            request=1, line=line, field="(record)", reason=reason, record=f"r-{line}",
        )  # fmt: skip
    checked(warehouse)

    assert warehouse.rows("from reports.rpt_quarantined") == [
        (WORKSPACE, "runs", "(record)", "no id", 2, "load-1", "load-2"),
        (WORKSPACE, "runs", "(record)", "(none)", 1, "load-2", "load-2"),
    ]


def test_health_is_that_of_the_marts(sample: Warehouse) -> None:
    """Each number of a workspace's health is what a count of the marts says of it."""
    for workspace_id in (WORKSPACE, OTHER_WORKSPACE):
        of = f"where workspace_id = '{workspace_id}'"
        assert sample.row(f"""
            select run_count, unlisted_run_count, open_count, provisional_count,
                adjustment_count, quarantined_count, open_day_count
            from reports.rpt_workspace_health {of}""") == sample.row(f"""
            select (select coalesce(sum(run_count), 0) from marts.fct_agent_days {of}),
                (select coalesce(sum(unlisted_run_count), 0) from marts.fct_agent_days {of}),
                (select count(*) from marts.fct_runs {of} and not is_terminal),
                (select count(*) from marts.fct_runs {of} and is_terminal and not is_final),
                (select count(*) from marts.fct_adjustments {of}),
                (select count(*) from audit.quarantined_records {of}),
                (select count(*) from audit.reconciliation_days {of} and status = 'open')""")
    assert sample.row(
        "select open_count, provisional_count from reports.rpt_workspace_health"
        f" where workspace_id = '{ALL}'"
    ) == sample.row("""
        select count(*) filter (not is_terminal), count(*) filter (is_terminal and not is_final)
        from marts.fct_runs""")


def test_a_new_workspace_has_rows_of_zeros(warehouse: Warehouse) -> None:
    """A workspace of which nothing was read yet has a health without findings and no days."""
    checked(warehouse)

    assert (
        warehouse.rows(
            "select run_count, unlisted_cost_usd, reconciliation_state, closed_day_count"
            " from reports.rpt_workspace_health"
        )
        == [(0, Decimal(0), "none", 0)] * 2
    )
