"""The batch's files are written anew where much of them is free."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from analytics.warehouse.database import (
    attached,
    attached_marts,
    compact_marts,
    compact_warehouse,
    open_warehouse,
)
from analytics.warehouse.layout import Layout


@pytest.fixture
def con(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A connection with a build file of two tables and a comment."""
    con = duckdb.connect(tmp_path / "warehouse.duckdb")
    with attached_marts(con, tmp_path / "build.duckdb"):
        con.execute("create table build_file.marts.kept as select range as a from range(100_000)")
        con.execute("comment on column build_file.marts.kept.a is 'A number.'")
        con.execute(
            "create table build_file.marts.dropped as select hash(range) as a from range(1_000_000)"
        )
    return con


def test_free_space_is_given_back(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Of a file whose rows are gone, what is left keeps its rows, their order and its comments.

    A file that is full of rows is not written again.
    """
    file = tmp_path / "build.duckdb"
    before = file.stat().st_ino
    compact_marts(con, Layout(tmp_path))
    assert file.stat().st_ino == before
    with attached_marts(con, file):
        con.execute("create table build_file.marts.last as select 1 as a")
        con.execute("drop table build_file.marts.dropped")
    size = file.stat().st_size

    compact_marts(con, Layout(tmp_path))

    assert file.stat().st_size < size / 4
    assert [path.name for path in tmp_path.glob("build*")] == ["build.duckdb"]
    with attached(con, file) as catalog:
        rows = con.execute(f"from {catalog}.marts.kept").fetchall()
        comments = con.execute(
            "select comment from duckdb_columns() where database_name = ? and comment is not null",
            [catalog],
        ).fetchall()
    assert rows == [(number,) for number in range(100_000)]
    assert comments == [("A number.",)]


def test_a_file_that_cannot_be_written_anew_stays(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Where no new file can be made, the build file is whole and as it was."""
    file = tmp_path / "build.duckdb"
    with attached_marts(con, file):
        con.execute("drop table build_file.marts.dropped")
    before = file.read_bytes()
    Layout(tmp_path).next_marts.mkdir()

    with pytest.raises(OSError):  # noqa: PT011  # systems name a folder in several ways
        compact_marts(con, Layout(tmp_path))

    assert file.read_bytes() == before
    with attached(con, file) as catalog:
        assert con.execute(f"select count(*) from {catalog}.marts.kept").fetchall() == [(100_000,)]


def test_the_warehouse_gives_back_free_space(tmp_path: Path) -> None:
    """A warehouse that is written anew has its rows, its views, and the next version's number."""
    layout = Layout(tmp_path)
    with open_warehouse(layout) as con:
        con.execute("create table raw.gone as select hash(range) as a from range(1_000_000)")
        con.execute("create table raw.kept as select nextval('raw.version_ids') as a from range(9)")
        con.execute("create view raw.seen as select max(a) as a from raw.kept")
        con.execute("checkpoint; drop table raw.gone")
    size = layout.warehouse.stat().st_size

    compact_warehouse(layout)

    assert layout.warehouse.stat().st_size < size / 4
    assert [path.name for path in tmp_path.iterdir()] == ["warehouse.duckdb"]
    with open_warehouse(layout) as con:
        assert con.execute("select a, nextval('raw.version_ids') from raw.seen").fetchall() == [
            (9, 10)
        ]
        assert con.execute("from raw.kept").fetchall() == [(a,) for a in range(1, 10)]
