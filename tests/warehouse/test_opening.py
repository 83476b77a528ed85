"""A published file is opened whole, also where it is replaced while it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.warehouse.database import attach_read_only


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
