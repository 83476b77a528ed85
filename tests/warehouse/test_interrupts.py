"""A Ctrl-C in the middle of a query, which DuckDB makes an error of its own."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from analytics.warehouse.database import attached_marts, interrupts, open_warehouse
from analytics.warehouse.layout import Layout


def stopped(folder: Path) -> None:
    """Leave an aborted transaction on an attached build file, as an interrupted query does."""
    with (
        interrupts(),
        open_warehouse(Layout(folder)) as con,
        attached_marts(con, folder / "build.duckdb"),
    ):
        con.begin()
        con.execute("create table build_file.marts.made (key integer primary key)")
        with suppress(duckdb.Error):
            con.execute("insert into build_file.marts.made values (1), (1)")
        raise RuntimeError("Query interrupted")


def test_a_query_in_a_transaction_ends_as_an_interrupt(tmp_path: Path) -> None:
    """The transaction that it leaves open does not hide that the user stopped the command."""
    with pytest.raises(KeyboardInterrupt):
        stopped(tmp_path)
