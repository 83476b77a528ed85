"""Run queries of users in a process of their own, each within limits of time, memory and rows.

A query can only read the published schemas of one file. One that crashes, does not end, or takes
all memory is an answer with an error, and the others run as if it were not there.
"""

from __future__ import annotations

import json
import re
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import polars as pl

from analytics.project.process import Process
from analytics.warehouse.confined import Limits
from analytics.warehouse.scratch import scratch_folder

_CHILD = "analytics.project.child"
_GRACE_SECONDS = 2.0
"""Time for a query to stop after it was interrupted."""
_ERROR_LENGTH = 500
_UNUSABLE = re.compile(r'\s*Did you mean "analytics\.[^"]+"\?')
"""A hint of DuckDB to a table of the build before, which no query can name."""


@dataclass(frozen=True)
class UserQuery:
    """One query of a user: the file that it stands in, its name, and its SQL."""

    file: str
    name: str
    sql: str


@dataclass(frozen=True)
class Answer:
    """The rows of a query, its columns' names and types, or an error with file and line; seconds.

    The frame's columns are c0, c1, …, and hold numbers or texts.
    """

    query: UserQuery
    frame: pl.DataFrame | None
    columns: tuple[tuple[str, str], ...]
    error: str | None
    seconds: float


@dataclass(frozen=True)
class Made:
    """A DuckDB file with the rows of a query as its table `result`, or an error in one line."""

    query: UserQuery
    file: Path
    rows: int
    error: str | None
    seconds: float


@dataclass(frozen=True)
class Parsed:
    """The statements of a text, with the tables each reads as (schema or empty, name); or an error.

    Each statement begins with as many empty lines as stand before it, so that errors name its line.
    """

    query: UserQuery
    statements: tuple[str, ...]
    reads: tuple[frozenset[tuple[str, str]], ...]
    error: str | None


@dataclass(frozen=True)
class Bound:
    """The columns of a query with their types, as found without running it; or an error."""

    query: UserQuery
    columns: dict[str, str]
    error: str | None


class Runner:
    """Runs queries within limits, one after the other; a context that starts a process if needed.

    `own` is always a file whose schema `custom` stands in place of that of the database. Results
    on their way, and what does not fit in memory, lie in the data directory `root`; without one
    that can be written to, nothing is spilled.
    """

    def __init__(self, limits: Limits, root: Path | None = None) -> None:
        self.limits = limits
        self._child: Process | None = None
        self._folders = ExitStack()
        self._scratch = self._folders.enter_context(scratch_folder(root)) if root else None
        self.folder = self._scratch or Path(
            self._folders.enter_context(tempfile.TemporaryDirectory(prefix="analytics-"))
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child:
            self._child.close()
        self._folders.close()

    def run(
        self,
        database: Path,
        queries: Iterable[UserQuery],
        *,
        own: Path | None = None,
        rows: int | None = None,
    ) -> Iterator[Answer]:
        """Run queries, and yield the rows of each, at most `rows` if given, else as limited."""
        limits = self.limits if rows is None else replace(self.limits, rows=rows)
        for query in queries:
            yield self._answer("run", query, limits, database=database, own=own)

    def show(self, database: Path, query: UserQuery, seconds: float) -> Answer:
        """Run a query for so many seconds at most, and return its rows as a page shows them."""
        return self._answer("show", query, replace(self.limits, seconds=seconds), database=database)

    def make(self, database: Path, queries: Iterable[UserQuery], own: Path) -> Iterator[Made]:
        """Run queries, and yield for each a file with all of its rows, in a folder of its own."""
        for query in queries:
            file = Path(tempfile.mkdtemp(dir=self.folder)) / "made.duckdb"
            reply, error, seconds = self._ask(
                "run", query, self.limits, database=database, own=own, target=file
            )
            yield Made(query, file, reply.get("rows", 0), error, seconds)

    def parse(self, queries: Iterable[UserQuery]) -> Iterator[Parsed]:
        """Parse texts of any number of statements; one that is not a SELECT is an error."""
        for query in queries:
            reply, error, _ = self._ask("parse", query, self.limits)
            statements = reply.get("statements", ())
            yield Parsed(
                query,
                tuple(each["sql"] for each in statements),
                tuple(
                    frozenset((schema, name) for schema, name in each["reads"])
                    for each in statements
                ),
                error,
            )

    def bind(
        self, database: Path, queries: Iterable[UserQuery], own: Path | None = None
    ) -> Iterator[Bound]:
        """Bind queries to the tables that they read, without running them."""
        for query in queries:
            reply, error, _ = self._ask("bind", query, self.limits, database=database, own=own)
            yield Bound(query, reply.get("columns", {}), error)

    def _answer(self, task: str, query: UserQuery, limits: Limits, **paths: Path | None) -> Answer:
        file = self.folder / "frame.arrow"
        reply, error, seconds = self._ask(task, query, limits, frame=file, **paths)
        frame = None if error else pl.read_ipc(file)
        file.unlink(missing_ok=True)
        columns = tuple((name, kind) for name, kind in reply.get("columns", ()))
        return Answer(query, frame, columns, error, seconds)

    def _ask(
        self, task: str, query: UserQuery, limits: Limits, **paths: Path | None
    ) -> tuple[dict[str, Any], str | None, float]:
        """Return the reply of the process, the error in it, and the seconds until it came."""
        request: dict[str, Any] = {
            "task": task,
            "sql": query.sql,
            "limits": asdict(limits),
            "scratch": str(self.folder),
            **{name: str(path) for name, path in paths.items() if path},
        }
        if self._scratch:
            request["temporary"] = str(self._scratch / "spilled")
        if self._child is None:
            self._child = _child()
        started = time.monotonic()
        reply = _reply(self._child, request, limits)
        seconds = time.monotonic() - started
        if reply.get("error") == limits.too_big:  # what took the memory may keep it
            self._child.close()
        if self._child.exit_code is not None:
            self._child = None
        return reply, _error(query, reply), seconds


def _child() -> Process:
    return Process(_CHILD, "runs queries of one's own")


def _reply(child: Process, request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Return the reply; if none comes, one with the error, and the process has ended."""
    child.ask(request)
    line = child.answer(limits.seconds + _GRACE_SECONDS)
    if line:
        return dict(json.loads(line))
    if line is not None:
        child.wait()
    child.close()
    return {"error": limits.too_slow if line is None else _death(child.exit_code or 0, limits)}


def _death(code: int, limits: Limits) -> str:
    """Return the probable reason that a process ended on its own."""
    if -code in (signal.SIGKILL, signal.SIGABRT):  # no memory: the kernel's way, and C++'s
        return limits.too_big
    name = signal.Signals(-code).name if code < 0 else f"exit {code}"
    return f"it ended the process that ran it ({name}): write it in a simpler way"


def _error(query: UserQuery, reply: dict[str, Any]) -> str | None:
    """Return the error of a reply in one line, after the file and line where it is."""
    if (text := reply.get("error")) is None:
        return None
    message, _, place = _UNUSABLE.sub("", text).partition("\n\nLINE ")
    line = place.partition(":")[0]
    where = f"{query.file}:{line}" if line.isdecimal() else query.file
    return f"{where}: {' '.join(message.split())[:_ERROR_LENGTH]}"
