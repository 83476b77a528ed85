"""A published file is opened whole, also where it is replaced while it is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.warehouse.database import attach_read_only


class Disturbed:
    """A connection that does something else before, or after, its first statement."""

    def __init__(self, **disturb: Callable[[], object]) -> None:
        self._con, self._disturb = duckdb.connect(), disturb

    def execute(self, sql: str) -> Any:
        """Run a statement."""
        self._disturb.pop("before", bool)()
        result = self._con.execute(sql)
        self._disturb.pop("after", bool)()
        return result


def published(path: Path, value: int) -> Path:
    """A finished file with one value."""
    with duckdb.connect(path) as con:
        con.execute(f"create table figures as select {value} as value")
    return path


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_file_that_is_replaced_is_opened_again(tmp_path: Path, moment: str) -> None:
    """Where it became another one while it was opened, that is opened, and an error is none."""
    file, later = published(tmp_path / "a.duckdb", 1), published(tmp_path / "b.duckdb", 2)

    def replace() -> None:
        later.replace(file)
        if moment == "before":
            raise duckdb.SerializationException("header and blocks are of two files")

    con = Disturbed(**{moment: replace})
    attach_read_only(con, file, "now")  # type: ignore[arg-type]

    assert con.execute("select value from now.figures").fetchall() == [(2,)]


def test_a_file_that_stays_broken_is_an_error(tmp_path: Path) -> None:
    """What cannot be opened is not tried for ever."""
    file = tmp_path / "a.duckdb"
    file.write_text("no database at all")

    with duckdb.connect() as con, pytest.raises(duckdb.Error):
        attach_read_only(con, file, "now")
