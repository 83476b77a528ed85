"""Files are opened whole, also where they are replaced, and a stopped query ends the command."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.batch.batch import interrupts
from analytics.batch.failures import failure_of
from analytics.errors import INTERRUPTED, QUERY_INTERRUPTED, UsageError
from analytics.warehouse.damage import DamagedError
from analytics.warehouse.database import (
    attach_read_only,
    attached_marts,
    open_warehouse,
)
from analytics.warehouse.layout import Layout


def published(path: Path, value: int) -> Path:
    """A finished file with one value."""
    path.parent.mkdir(exist_ok=True)
    with duckdb.connect(path) as con:
        con.execute(f"create table figures as select {value} as value")
    return path


def test_a_file_that_is_replaced_is_opened_again(tmp_path: Path) -> None:
    """Where it is gone once its link was followed, that to which it leads now is opened."""
    first, later = published(tmp_path / "1" / "a", 1), published(tmp_path / "2" / "a", 2)
    (tmp_path / "now").symlink_to("1")

    class Publishing:
        """A connection before whose first statement another batch publishes."""

        con = duckdb.connect()

        def execute(self, sql: str) -> Any:
            if first.exists():
                (tmp_path / "now").unlink()
                (tmp_path / "now").symlink_to("2")
                first.unlink()
            return self.con.execute(sql)

    con = Publishing()
    attach_read_only(con, tmp_path / "now" / "a", "now")  # type: ignore[arg-type]

    assert con.execute("select value from now.figures").fetchall() == [(2,)]
    assert later.exists()


def test_a_file_that_stays_broken_is_an_error(tmp_path: Path) -> None:
    """What cannot be opened is not tried for ever."""
    file = tmp_path / "a.duckdb"
    file.write_text("no database at all")

    with duckdb.connect() as con, pytest.raises(duckdb.Error):
        attach_read_only(con, file, "now")


@pytest.mark.parametrize(
    ("version", "error", "told"),
    [
        (0, DamagedError, "was written by an older release of this program (data version 0, "),
        (99, UsageError, "was written by a newer release of this program (data version 99, "),
    ],
)
def test_a_warehouse_of_another_release_is_not_opened(
    tmp_path: Path, version: int, error: type[Exception], told: str
) -> None:
    """An older one is to be made anew, as a damaged one is; a newer one stays as it is."""
    layout = Layout(tmp_path)
    with open_warehouse(layout) as con:
        con.execute("update ledger.schema_version set version = ?", [version])

    with pytest.raises(error, match=re.escape(told)), open_warehouse(layout):
        pass


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
