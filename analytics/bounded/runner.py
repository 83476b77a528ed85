"""Run SQL of users in a process of its own, each query within limits of time, memory and rows.

A query can only read the published schemas of one file. One that crashes, does not end, or takes
all memory is an answer with an error, and the others run as if it were not there.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from analytics.bounded.limits import Limits
from analytics.errors import AnalyticsError
from analytics.warehouse.scratch import scratch_folder

if TYPE_CHECKING:
    import polars as pl

_CHILD = "analytics.bounded.child"
_CODE = str(Path(__file__).resolve().parents[2])
_START_SECONDS = 60.0
_END_SECONDS = 2.0
_ERROR_LENGTH = 500
_UNUSABLE = re.compile(r'\s*Did you mean "analytics\.[^"]+"\?')
"""A hint of DuckDB to a table of the build before, which no query can name."""


@dataclass(frozen=True)
class UserQuery:
    """One query of a user: its file, empty for what was typed, its name, and its SQL."""

    file: str
    name: str
    sql: str


@dataclass(frozen=True)
class Answer:
    """The columns of a query with their types, and its rows; or an error, with file and line.

    Rows hold whole numbers, floats and texts; `count` is one more than there are if the query has
    more than was asked for, and of a file its rows. `is_of_file` if the database cannot be read.
    """

    query: UserQuery
    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[list[Any], ...] = ()
    count: int = 0
    error: str | None = None
    is_of_file: bool = False
    seconds: float = 0.0

    @property
    def amounts(self) -> list[list[Any]]:
        """The rows, with decimals as such."""
        are_decimal = [kind.startswith("DECIMAL(") and kind[-1] == ")" for _, kind in self.columns]
        return [
            [
                Decimal(value) if is_decimal and value is not None else value
                for value, is_decimal in zip(row, are_decimal, strict=True)
            ]
            for row in self.rows
        ]

    @cached_property
    def frame(self) -> pl.DataFrame | None:
        """The rows for a page, as columns c0, c1, …: days and months are told without a time."""
        if self.error is not None:
            return None
        import polars as pl

        columns = []
        for number, (name, kind) in enumerate(self.columns):
            values = [row[number] for row in self.rows]
            if kind.startswith("TIMESTAMP") and name.lower() in ("date", "month"):
                values = [value and value.partition("T")[0] for value in values]
            is_whole = any(isinstance(value, int) for value in values)
            is_float = kind in ("FLOAT", "DOUBLE")
            of = pl.Float64 if is_float else pl.Int64 if is_whole else pl.String
            columns.append(pl.Series(f"c{number}", values, of))
        return pl.DataFrame(columns)


@dataclass(frozen=True)
class Parsed:
    """The SELECTs of a text, with the tables each reads as (schema or empty, name); or an error.

    Each begins with as many empty lines as stand before it, so that errors name its line.
    """

    statements: tuple[str, ...]
    reads: tuple[frozenset[tuple[str, str]], ...]
    error: str | None


class Runner:
    """Runs queries within limits, one after the other; a context that starts a process if needed.

    `own` is always a file whose schema `custom` stands in place of that of the database. Results
    on their way, and what does not fit in memory, lie in the data directory `root`; without one
    that can be written to, nothing is spilled.
    """

    def __init__(self, limits: Limits, root: Path | None = None) -> None:
        self.limits = limits
        self._child: _Child | None = None
        self._is_stopped = False
        self._folders = ExitStack()
        scratch = self._folders.enter_context(scratch_folder(root)) if root else None
        self._spilled = scratch / "spilled" if scratch else None
        self.folder = scratch or Path(
            self._folders.enter_context(tempfile.TemporaryDirectory(prefix="analytics-"))
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._folders.close()

    def stop(self) -> None:
        """End the current query and any later one with an error; call it from another thread."""
        self._is_stopped = True
        if child := self._child:
            child.process.kill()

    def parse(self, query: UserQuery) -> Parsed:
        """Parse a text of any number of statements; one that is not a SELECT is an error."""
        reply = self._ask("parse", query, self.limits)
        reads = (frozenset(map(tuple, each)) for each in reply.get("reads", ()))
        return Parsed(tuple(reply.get("statements", ())), tuple(reads), reply["error"])

    def bind(self, database: Path, query: UserQuery, own: Path | None = None) -> Answer:
        """Return the columns of a query, which is not run."""
        return self._answer("bind", query, self.limits, database=database, own=own)

    def run(
        self,
        database: Path,
        query: UserQuery,
        *,
        own: Path | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """Run a query, and return its rows; more than the limit are an error."""
        limits = self.limits if seconds is None else replace(self.limits, seconds=seconds)
        answer = self._answer("run", query, limits, database=database, own=own)
        if answer.count > len(answer.rows):
            return replace(answer, rows=(), error=_placed(query, limits.too_long))
        return answer

    def first(self, database: Path, query: UserQuery, rows: int) -> Answer:
        """Run a query, and return its first rows; if it has more, `count` is one more."""
        return self._answer("run", query, replace(self.limits, rows=rows), database=database)

    def make(self, database: Path, query: UserQuery, made: Path, own: Path | None = None) -> Answer:
        """Run a query, and write its rows into a new file: csv, json, parquet or duckdb by name.

        One of DuckDB has them as its table `result`.
        """
        return self._answer("run", query, self.limits, database=database, own=own, target=made)

    def _answer(self, task: str, query: UserQuery, limits: Limits, **paths: Path | None) -> Answer:
        reply = self._ask(task, query, limits, **paths)
        return Answer(
            query,
            tuple(map(tuple, reply.get("columns", ()))),
            tuple(reply.get("rows", ())),
            reply.get("count", 0),
            reply["error"],
            reply.get("is_of_file", False),
            reply["seconds"],
        )

    def _ask(
        self, task: str, query: UserQuery, limits: Limits, **paths: Path | None
    ) -> dict[str, Any]:
        """Return the reply of the process, with its error, if it has one, and its seconds."""
        paths = {"database": None, "own": None, "target": None, "spilled": self._spilled} | paths
        request = {"task": task, "sql": query.sql, "limits": asdict(limits)}
        request |= {name: str(path or "") for name, path in paths.items()}
        child = self._child = self._child or _Child()
        if self._is_stopped:  # perhaps while the process was starting
            child.process.kill()
        started = time.monotonic()
        try:
            reply = child.ask(request | {"folder": str(self.folder)}, limits.seconds)
        except TimeoutError:
            reply = {"error": limits.too_slow}
            self._end()
        except OSError:
            reply = {"error": _death(self._end(), limits)}
        reply["seconds"] = time.monotonic() - started
        if reply.setdefault("error", None) == limits.too_big:  # what took the memory may keep it
            self._end()
        if reply["error"]:
            reply["error"] = _placed(query, reply["error"])
        return reply

    def _end(self) -> int:
        """End the process, if there is one, and return its exit code."""
        child, self._child = self._child, None
        code = child.end() if child else 0
        if self._spilled:
            shutil.rmtree(self._spilled, ignore_errors=True)
        return code


class _Child:
    """The process, and our end of the line to it.

    It gets nothing of our environment, as there are API keys in it.
    """

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._line = self._socket.makefile("rb")
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", _CHILD],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                env={"PYTHONPATH": _CODE},
                start_new_session=True,  # a Ctrl-C is for this process, which ends the other
            )
        self._socket.settimeout(_START_SECONDS)
        with suppress(OSError):
            if self._line.readline():
                return
        self.end()
        raise AnalyticsError(
            "The process that runs queries does not start.\n"
            f"For the reason, run: {sys.executable} -m {_CHILD}"
        )

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Return the reply to a request; TimeoutError if none came, OSError if it has ended."""
        self._socket.settimeout(seconds)
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        if not (line := self._line.readline()):
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_END_SECONDS)  # so that its exit code is its own
            raise ConnectionResetError
        return dict(json.loads(line))

    def end(self) -> int:
        """End the process, whatever it does; return its exit code, negative for a signal."""
        if self.process.poll() is None:
            self.process.kill()
        self._line.close()
        self._socket.close()
        return self.process.wait()


def _death(code: int, limits: Limits) -> str:
    """Return the probable reason that a process ended on its own."""
    if -code in (signal.SIGKILL, signal.SIGABRT):  # no memory: the kernel's way, and C++'s
        return limits.too_big
    name = signal.Signals(-code).name if code < 0 else f"exit {code}"
    return f"it ended the process that ran it ({name}): write it in a simpler way"


def _placed(query: UserQuery, error: str) -> str:
    """Return an error in one line, after the file and line where it is; of no file, as it is."""
    text = _UNUSABLE.sub("", error)
    if not query.file:
        return text[: 4 * _ERROR_LENGTH]
    message, _, place = text.partition("\n\nLINE ")
    line = place.partition(":")[0]
    where = f"{query.file}:{line}" if line.isdecimal() else query.file
    return f"{where}: {' '.join(message.split())[:_ERROR_LENGTH]}"
