"""Run queries of users in a process of their own, each within limits of time, memory and rows.

A query can only read the published schemas of one file. One that crashes, does not end, or takes
all memory is an answer with an error, and the others run as if it were not there.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from analytics.errors import AnalyticsError
from analytics.warehouse.confined import Limits

_CHILD = "analytics.custom.child"
_PATH = str(Path(__file__).resolve().parents[2])
_START_SECONDS = 60.0
_GRACE_SECONDS = 2.0
"""Time for a query to stop after it was interrupted."""
_ERROR_LENGTH = 500


@dataclass(frozen=True)
class UserQuery:
    """One query of a user: the file that it stands in, its name, and its SQL."""

    file: str
    name: str
    sql: str


@dataclass(frozen=True)
class Answer:
    """The rows of a query, or an error in one line with file and line; and the seconds it took."""

    query: UserQuery
    frame: pl.DataFrame | None
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


def run_queries(
    database: Path, queries: Sequence[UserQuery], limits: Limits, *, own: Path | None = None
) -> list[Answer]:
    """Run queries on a closed file with marts, and return their rows in the order of the queries.

    `own` is a file whose schema `custom` stands in place of the database's.
    """
    answers = []
    with _scratch() as folder:
        file = folder / "frame.arrow"
        request = {"task": "run", "database": str(database), "own": _text(own), "frame": str(file)}
        for query, reply, seconds in _replies(queries, request, limits, folder):
            error = _error(query, reply)
            frame = None if error else pl.read_ipc(file)
            file.unlink(missing_ok=True)
            answers.append(Answer(query, frame, error, seconds))
    return answers


def make_tables(
    database: Path, queries: Sequence[UserQuery], limits: Limits, folder: Path, *, own: Path
) -> Iterator[Made]:
    """Run queries as above, and yield a file with the rows of each, of any number, in `folder`."""
    request = {"task": "run", "database": str(database), "own": str(own), "frame": None}
    targets = {query.name: str(folder / f"{query.name}.duckdb") for query in queries}
    for query, reply, seconds in _replies(queries, request, limits, folder, targets):
        file = Path(targets[query.name])
        yield Made(query, file, reply.get("rows", 0), _error(query, reply), seconds)


def parse_queries(queries: Sequence[UserQuery], limits: Limits) -> list[Parsed]:
    """Parse texts of any number of statements; one that is not a SELECT is an error."""
    with _scratch() as folder:
        return [
            Parsed(
                query,
                tuple(each["sql"] for each in reply.get("statements", ())),
                tuple(frozenset(map(tuple, each["reads"])) for each in reply.get("statements", ())),
                _error(query, reply),
            )
            for query, reply, _ in _replies(queries, {"task": "parse"}, limits, folder)
        ]


def bind_queries(
    database: Path, queries: Sequence[UserQuery], limits: Limits, *, own: Path | None = None
) -> list[Bound]:
    """Bind queries to the tables that they read, without running them."""
    request = {"task": "bind", "database": str(database), "own": _text(own)}
    with _scratch() as folder:
        return [
            Bound(query, reply.get("columns", {}), _error(query, reply))
            for query, reply, _ in _replies(queries, request, limits, folder)
        ]


def _replies(
    queries: Sequence[UserQuery],
    request: dict[str, Any],
    limits: Limits,
    folder: Path,
    targets: dict[str, str] | None = None,
) -> Iterator[tuple[UserQuery, dict[str, Any], float]]:
    """Yield each query with the child's reply and the seconds until it came."""
    child: _Child | None = None
    try:
        for query in queries:
            asked = request | {
                "sql": query.sql,
                "limits": asdict(limits),
                "temporary": str(folder / "spilled"),
                "target": targets[query.name] if targets else None,
            }
            child = child or _Child()
            started = time.monotonic()
            reply = child.ask(asked, limits)
            yield query, reply, time.monotonic() - started
            if child.has_ended:
                child = None
    finally:
        if child:
            child.end()


class _Child:
    """A process that answers requests, and its end of the line to it."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair()
        self._received = b""
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _CHILD],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                env={"PYTHONPATH": _PATH},  # nothing else of ours, which holds API keys
                start_new_session=True,  # a Ctrl-C is for this process, which ends the other
            )
        if not self._reply(_START_SECONDS):
            self.end()
            raise AnalyticsError(
                "The process that runs queries of one's own does not start.\n"
                f"For the reason, run: {sys.executable} -m {_CHILD}"
            )

    @property
    def has_ended(self) -> bool:
        """True if it can answer no more."""
        return self._process.returncode is not None

    def ask(self, request: dict[str, Any], limits: Limits) -> dict[str, Any]:
        """Return the reply; if none comes, one with the error, and the process has ended."""
        with suppress(ConnectionError):  # it has ended, as reading will show
            self._line.sendall(json.dumps(request).encode() + b"\n")
        reply = self._reply(limits.seconds + _GRACE_SECONDS)
        if reply:
            return dict(json.loads(reply))
        if reply is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)  # its exit code is the reason
        self.end()
        return {
            "error": limits.too_slow if reply is None else _death(self._process.returncode, limits)
        }

    def end(self) -> None:
        """End the process, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._line.close()

    def _reply(self, seconds: float) -> bytes | None:
        """Return the next line, empty if the process ended; None if none came in this time."""
        deadline = time.monotonic() + seconds
        try:
            while b"\n" not in self._received:
                self._line.settimeout(max(0.001, deadline - time.monotonic()))
                if not (received := self._line.recv(1 << 16)):
                    return b""
                self._received += received
        except TimeoutError:
            return None
        except ConnectionError:
            return b""
        line, _, self._received = self._received.partition(b"\n")
        return line


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
    message, _, place = text.partition("\n\nLINE ")
    line = place.partition(":")[0]
    where = f"{query.file}:{line}" if line.isdecimal() else query.file
    return f"{where}: {' '.join(message.split())[:_ERROR_LENGTH]}"


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="analytics-") as folder:
        yield Path(folder)
