"""Runs that may still change."""

from __future__ import annotations

import duckdb

from tests.warehouse.conftest import Load, run_record


def test_an_open_run_that_comes_back_is_provisional(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """An open run that was given up, and is listed again as it was, is read until it ends."""
    run = run_record(status="running", finished_at=None)
    load("runs", [run])
    con.execute("delete from ledger.provisional_runs")

    load("runs", [run])

    assert con.execute("select run_id from ledger.provisional_runs").fetchall() == [("r1",)]
