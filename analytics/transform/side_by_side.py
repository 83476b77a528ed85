"""Run the parts of a build side by side, each after the parts whose results it reads.

A relation seldom keeps two processors busy: DuckDB plans for longer than it computes, or has too
few blocks of rows to share. Two at once need more memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from graphlib import TopologicalSorter
from typing import TypeVar

import duckdb

from analytics.terminal import Before, tracked
from analytics.warehouse.database import quoted, record_count, stop

T = TypeVar("T")
R = TypeVar("R")

_MOST_CONNECTIONS = 4
# Bytes of DuckDB's memory for each connection: at least, and by the record.
_MEMORY, _MEMORY_OF_RECORD = 300_000_000, 300


def run_all(
    con: duckdb.DuckDBPyConnection,
    parts: Mapping[str, T],
    run: Callable[[duckdb.DuckDBPyConnection, T], R],
    *,
    after: Callable[[T], Iterable[str]] = lambda _: (),
    before: Before | None = None,
    records: int | None = None,
) -> dict[str, R]:
    """Run all parts; return the result of each by its name, in the order of `parts`.

    In that order they can run one after another; `after` returns the names of those that a part
    has to wait for. `run` gets a connection whose changes no other part sees before they are
    committed. `before` is told of each part that begins. `records` is the number of records that
    the parts are of, without it all. The first error is raised; nothing more begins, and queries
    that run meanwhile are interrupted.
    """
    names, count = [*parts], _connection_count(con, records)
    if count == 1:
        return {name: run(con, parts[name]) for name in tracked(names, before, str)}
    sorter = TopologicalSorter({name: parts.keys() & after(parts[name]) for name in names})
    sorter.prepare()
    waiting: list[int] = []
    running: dict[Future[R], tuple[str, duckdb.DuckDBPyConnection]] = {}
    results: dict[str, R] = {}
    with ExitStack() as opened, _shared_threads(con, count), ThreadPoolExecutor(count) as pool:
        free = [opened.enter_context(_another_connection(con)) for _ in range(count)]
        try:
            while sorter.is_active():
                waiting = sorted([*waiting, *map(names.index, sorter.get_ready())])
                while free and waiting:
                    name, connection = names[waiting.pop(0)], free.pop()
                    if before:
                        before(len(results) + len(running) + 1, len(names), name)
                    running[pool.submit(run, connection, parts[name])] = name, connection
                for ended in wait(running, return_when=FIRST_COMPLETED).done:
                    name, connection = running.pop(ended)
                    results[name] = ended.result()
                    free.append(connection)
                    sorter.done(name)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop({call: connection for call, (_, connection) in running.items()})
            raise
    return {name: results[name] for name in names}


@contextmanager
def _another_connection(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open another connection to the same files, with the same time zone, path and variable."""
    ((zone, path, reporting),) = con.execute(
        "select current_setting('TimeZone'), current_setting('search_path'),"
        " getvariable('reporting_timezone')"
    ).fetchall()
    other = con.cursor()
    try:
        other.execute(f"set TimeZone = '{quoted(zone)}'; set search_path = '{quoted(path)}'")
        other.execute("set variable reporting_timezone = ?", [reporting])
        yield other
    finally:
        with suppress(duckdb.Error):  # in use, after a second Ctrl-C
            other.close()


@contextmanager
def _shared_threads(con: duckdb.DuckDBPyConnection, count: int) -> Iterator[None]:
    """Leave DuckDB no more threads than processors: each connection has one of its own."""
    ((threads,),) = con.execute("select current_setting('threads')").fetchall()
    con.execute(f"set threads = {max(1, threads - count + 1)}")
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # after a fatal one, which must not be hidden
            con.execute(f"set threads = {threads}")


def _connection_count(con: duckdb.DuckDBPyConnection, records: int | None) -> int:
    """Return how many parts may run at once, by threads, and by memory for so many records."""
    ((threads, memory),) = con.execute(
        "select current_setting('threads'), parse_formatted_bytes(current_setting('memory_limit'))"
    ).fetchall()
    needed = _MEMORY_OF_RECORD * (record_count(con) if records is None else records)
    return max(1, min(int(threads), _MOST_CONNECTIONS, int(memory) // max(_MEMORY, needed)))
