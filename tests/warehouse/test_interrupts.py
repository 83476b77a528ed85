"""A Ctrl-C in the middle of a query, which DuckDB makes an error of its own."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from analytics.cli.failures import failure_of
from analytics.errors import INTERRUPTED, QUERY_INTERRUPTED
from analytics.warehouse.database import attached_marts, interrupts, open_warehouse
from analytics.warehouse.layout import Layout


def stopped(folder: Path) -> None:
    """Leave an aborted transaction on an attached build file, as an interrupted query does."""
    folder.mkdir(exist_ok=True)
    with (
        open_warehouse(Layout(folder)) as con,
        attached_marts(con, folder / "build.duckdb"),
    ):
        con.begin()
        con.execute("create table build_file.marts.made (key integer primary key)")
        with suppress(duckdb.Error):
            con.execute("insert into build_file.marts.made values (1), (1)")
        raise RuntimeError(QUERY_INTERRUPTED)


def test_a_query_in_a_transaction_ends_as_an_interrupt(tmp_path: Path) -> None:
    """The transaction that it leaves open does not hide that the user stopped the command.

    Where nobody expected an interrupt, a command ends with 130 all the same.
    """
    with pytest.raises(KeyboardInterrupt), interrupts():
        stopped(tmp_path)
    with pytest.raises(RuntimeError) as found:
        stopped(tmp_path / "other")

    failure = failure_of(found.value)
    assert (failure.text, failure.exit_code) == ("stopped", INTERRUPTED)
