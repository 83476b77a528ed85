"""The way back from a run to its file and request, and to what it was before."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.transform.given import SEEN, WORKSPACE, Warehouse


def test_a_run_names_where_its_version_came_from(warehouse: Warehouse) -> None:
    """A run has the load, request and line of the version in force, not of an earlier one."""
    first = warehouse.given("runs", status="pending", request=3, line=7)
    warehouse.replaced(first, "runs", load_id="load-2", request=1, line=9)

    warehouse.build()

    assert warehouse.row("select load_id, request_number, file_line from marts.fct_runs") == (
        "load-2",
        1,
        9,
    )


def test_versions_of_a_changed_run(warehouse: Warehouse) -> None:
    """Each version is numbered as it was seen, and says which load replaced it."""
    later = SEEN + timedelta(days=1)
    first = warehouse.given("runs", status="running", cost_usd="0.1", line=1)
    warehouse.replaced(first, "runs", cost_usd="0.25", load_id="load-2", line=2, seen_at=later)

    warehouse.build()

    assert warehouse.rows(
        "select version_number, status, cost_usd, load_id, file_line, seen_at,"
        " superseded_by_load_id,"
        " is_current from audit.run_versions"
    ) == [
        (1, "running", Decimal("0.1"), "load-1", 1, SEEN, "load-2", False),
        (2, "succeeded", Decimal("0.25"), "load-2", 2, later, None, True),
    ]


def test_a_run_that_never_changed_has_no_versions(warehouse: Warehouse) -> None:
    """Only runs that changed are told twice; the same id in another workspace is another run."""
    first = warehouse.given("runs", status="pending")
    warehouse.replaced(first, "runs")
    warehouse.given("runs", run_id="r-2")
    warehouse.given("runs", workspace_id="w-2")

    warehouse.build()

    assert warehouse.rows("select distinct workspace_id, run_id from audit.run_versions") == [
        (WORKSPACE, "r-1")
    ]


def test_requests_of_single_runs_details_are_left_out(warehouse: Warehouse) -> None:
    """Requests for lists, runs and meters are told in full; those for a run's details are not."""
    for request, source in enumerate(("runs", "usage_hours", "run_costs", "run_log_events")):
        warehouse.insert(
            "ledger.requests",
            workspace_id=WORKSPACE,
            load_id="load-1",
            request=request,
            source=source,
            path="/api/v1/runs/",
            params='{"limit":"200"}',
            status=200,
            byte_count=1234,
        )

    warehouse.build()

    assert warehouse.rows(
        "select request_number, source, path, params, status, byte_count from audit.requests"
    ) == [
        (0, "runs", "/api/v1/runs/", '{"limit":"200"}', 200, 1234),
        (1, "usage_hours", "/api/v1/runs/", '{"limit":"200"}', 200, 1234),
    ]


def test_landing_files(warehouse: Warehouse) -> None:
    """Each file that was loaded stands with its size and its hash."""
    warehouse.insert(
        "ledger.files",
        workspace_id=WORKSPACE,
        load_id="load-1",
        file_name="runs.ndjson.zst",
        byte_count=77,
        sha256="ab12",
    )

    warehouse.build()

    assert warehouse.rows("from audit.landing_files") == [
        (WORKSPACE, "load-1", "runs.ndjson.zst", 77, "ab12")
    ]
