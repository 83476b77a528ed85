"""Run the parts of a build side by side, each after the parts whose results it reads.

Of few records, a relation keeps one processor busy: DuckDB plans for longer than it computes. Of
many, a relation keeps all of them busy, and two at once only need more memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from graphlib import TopologicalSorter
from typing import TypeVar

import duckdb

from analytics.parts import Before, told
from analytics.warehouse.database import another_connection, record_count, stop

T = TypeVar("T")
R = TypeVar("R")

MOST_RECORDS = 1_000_000
"""Records, all their versions counted, up to which parts run side by side."""

_MOST_CONNECTIONS = 4
_MEMORY = 300_000_000  # bytes of DuckDB's memory for each connection


def run_all(
    con: duckdb.DuckDBPyConnection,
    parts: Mapping[str, T],
    run: Callable[[duckdb.DuckDBPyConnection, T], R],
    *,
    after: Callable[[T], Iterable[str]] = lambda _: (),
    before: Before | None = None,
) -> dict[str, R]:
    """Run all parts; return the result of each by its name, in the order of `parts`.

    In that order they can run one after another; `after` returns the names of those that a part
    has to wait for. `run` gets a connection whose changes no other part sees before they are
    committed. `before` is told of each part that begins. The first error is raised; nothing more
    begins, and queries that run meanwhile are interrupted.
    """
    names, count = [*parts], _connection_count(con)
    if count == 1:
        return {name: run(con, parts[name]) for name in told(names, before, str)}
    sorter = TopologicalSorter({name: parts.keys() & after(parts[name]) for name in names})
    sorter.prepare()
    waiting: list[int] = []
    running: dict[Future[R], tuple[str, duckdb.DuckDBPyConnection]] = {}
    results: dict[str, R] = {}
    with ExitStack() as opened, ThreadPoolExecutor(count) as pool:
        free = [opened.enter_context(another_connection(con)) for _ in range(count)]
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


def _connection_count(con: duckdb.DuckDBPyConnection) -> int:
    """Return how many parts may run at once, by records, threads and memory."""
    if record_count(con) > MOST_RECORDS:
        return 1
    ((threads, memory),) = con.execute(
        "select current_setting('threads'), parse_formatted_bytes(current_setting('memory_limit'))"
    ).fetchall()
    return max(1, min(int(threads), _MOST_CONNECTIONS, int(memory) // _MEMORY))
