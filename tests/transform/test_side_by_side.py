"""Parts of a build run side by side, each after those that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import duckdb
import pytest

from analytics.transform.side_by_side import run_all
from analytics.warehouse.database import stop


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute("create schema raw; create table raw.runs as from range(10)")
        yield con


def test_two_parts_run_at_once(con: duckdb.DuckDBPyConnection) -> None:
    """Two parts that wait for each other both end; results are in the order of the parts."""
    both = Barrier(2)

    def run(_: duckdb.DuckDBPyConnection, part: int) -> int:
        both.wait(60)
        return part

    assert [*run_all(con, {"second": 2, "first": 1}, run).items()] == [("second", 2), ("first", 1)]


def test_a_part_waits_for_what_it_reads(con: duckdb.DuckDBPyConnection) -> None:
    """A part begins when those are committed that it has to wait for, and is told of before."""
    told: list[tuple[int, int, str]] = []
    parts = {"one": "range(100000)", "two": "one", "three": "two"}

    def run(connection: duckdb.DuckDBPyConnection, reads: str) -> None:
        (name,) = (name for name in parts if parts[name] == reads)
        connection.execute(f"create table {name} as from {reads}")

    run_all(
        con, parts, run, after=lambda reads: [reads, "raw.runs"],
        before=lambda *part: told.append(part),
    )  # fmt: skip
    assert con.execute("select count(*) from three").fetchall() == [(100_000,)]
    assert told == [(1, 3, "one"), (2, 3, "two"), (3, 3, "three")]


def test_parts_have_the_settings_of_the_connection(con: duckdb.DuckDBPyConnection) -> None:
    """Time zone, search path and reporting time zone are those of the connection."""
    con.execute("create schema \"it's\"; set search_path = 'memory.\"it''s\"'")
    con.execute("set TimeZone = 'Asia/Kathmandu'; set variable reporting_timezone = 'UTC'")
    query = (
        "select current_setting('TimeZone'), current_setting('search_path'),"
        " getvariable('reporting_timezone')"
    )
    found = run_all(con, {"one": query, "two": query}, lambda other, sql: other.sql(sql).fetchall())
    assert found == dict.fromkeys(("one", "two"), con.execute(query).fetchall())


def test_what_begins_a_query_late_is_interrupted(con: duckdb.DuckDBPyConnection) -> None:
    """Calls are interrupted until they have ended, also one that was between two statements."""
    begun, stopped = Event(), Event()

    def run() -> None:
        begun.set()
        stopped.wait(0.2)  # the first interrupt finds no query
        con.execute("select count(*) from range(100000000000) where random() > 2")

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(run)
        begun.wait(60)
        stop({call: con})
    with pytest.raises(duckdb.InterruptException):
        call.result()


def test_a_connection_that_is_closed_needs_no_interrupt(con: duckdb.DuckDBPyConnection) -> None:
    """A call that has closed its connection and is about to end is waited for, without an error."""
    is_interrupted = Event()

    class Closed:
        def interrupt(self) -> None:
            is_interrupted.set()
            con.interrupt()

    con.close()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(is_interrupted.wait, 60)
        stop({call: Closed()})  # type: ignore[dict-item]  # all of a connection that it uses
        assert call.done()


def test_an_error_ends_all(con: duckdb.DuckDBPyConnection) -> None:
    """The first error is raised; what runs beside it is interrupted, and nothing more begins."""
    begun, interrupted = Event(), Event()
    after = {"endless": (), "wrong": (), "never": ("wrong",)}
    names = []

    def run(connection: duckdb.DuckDBPyConnection, name: str) -> None:
        names.append(name)
        if name == "wrong":
            begun.wait(60)
            raise ValueError(name)
        begun.set()
        try:
            connection.execute("select count(*) from range(100000000000) where random() > 2")
        except duckdb.InterruptException:
            interrupted.set()

    with pytest.raises(ValueError, match="wrong"):
        run_all(con, {name: name for name in after}, run, after=after.__getitem__)
    assert interrupted.is_set()
    assert names == ["endless", "wrong"]


@pytest.mark.parametrize(
    ("memory", "records", "is_alone"),
    [("500MB", None, True), ("2GB", 3_000_000, False), ("2GB", 4_000_000, True)],
)
def test_with_little_memory_one_part_runs_alone(
    con: duckdb.DuckDBPyConnection, memory: str, records: int | None, is_alone: bool
) -> None:
    """Parts for which two have not the memory run on the connection itself."""
    con.execute(f"set memory_limit = '{memory}'")
    used = run_all(con, {"one": 1, "two": 2}, lambda connection, _: connection, records=records)
    assert [each is con for each in used.values()] == [is_alone] * 2


def test_parts_share_the_threads(con: duckdb.DuckDBPyConnection) -> None:
    """Two parts on two processors have a thread each; afterwards there are as many as before."""
    threads = "select current_setting('threads')"
    found = run_all(con, {"one": 1, "two": 2}, lambda other, _: other.sql(threads).fetchall())
    assert [*found.values()] == [[(1,)], [(1,)]]
    assert con.sql(threads).fetchall() == [(2,)]
