"""Connections for SQL that a user wrote: read-only, confined to given files, and bounded."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from analytics.warehouse.database import (
    OFFLINE,
    PUBLISHED_SCHEMAS,
    STORAGE_VERSION,
    attach_read_only,
    quoted,
)
from analytics.warehouse.machine import bytes_of, connection_limits

CUSTOM = "custom"
"""The schema of the user's own tables."""

RESULT = "result"
TARGET = f"target.main.{RESULT}"
"""The table that a confined connection can make."""


@dataclass(frozen=True)
class Limits:
    """Bounds on one query: seconds, memory, rows and bytes; None is any.

    As much again as the memory may be spilled to disk. 2 GB are enough to group ten million runs,
    and leave a batch its own on a machine of 4 GB.
    """

    seconds: float = 60
    memory: str = "2GB"
    rows: int | None = 100_000
    size: str | None = None

    @property
    def memory_bytes(self) -> int:
        """The memory in bytes."""
        return bytes_of(self.memory)

    def in_words(self, error: BaseException) -> str | None:
        """Return the limit that this error was caused by, and its setting; None for no limit."""
        text = str(error)  # errors also pass through libraries that make texts of them
        if isinstance(error, duckdb.InterruptException) or "INTERRUPT Error" in text:
            return self.too_slow
        is_full = "Out of Memory Error" in text or os.strerror(errno.EFBIG) in text
        if is_full or isinstance(error, duckdb.OutOfMemoryException | MemoryError):
            return self.too_big
        return None

    @property
    def too_slow(self) -> str:
        """The message on a query that took too long."""
        return (
            f"it was stopped after {self.seconds:g} s: ask for less, or raise timeout_seconds in"
            " [sql]"
        )

    @property
    def too_big(self) -> str:
        """The message on a query that needed too much memory or disk."""
        return f"it needs more memory or disk than {self.memory}: ask for less"

    @property
    def too_long(self) -> str:
        """The message on a query with too many rows."""
        return f"it has more than {self.rows:,} rows: group them, or add a LIMIT"


@contextmanager
def open_confined(
    file: Path,
    limits: Limits | None,
    temporary: Path | None,
    *,
    own: Path | None = None,
    target: Path | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file with marts read-only, without access to other files, extensions or settings.

    All published schemas are on the search path, and `custom`: that of the file, or that of the
    file `own`, which is read-only too. A table can be made only in `target`, a new file.
    `temporary` is a folder for what does not fit in memory; without one, nothing is spilled.
    Without `limits`, those of a batch apply.
    """
    config = OFFLINE | connection_limits() | {"temp_directory": str(temporary or "")}
    config["show_behavior"] = "table"  # else SHOW also shows settings
    if limits:
        config |= {"memory_limit": limits.memory, "max_temp_directory_size": limits.memory}
    with duckdb.connect(config=config) as con:
        con.execute("set TimeZone = 'UTC'")
        attach_read_only(con, file, "analytics")
        if own:
            con.execute(f"attach '{quoted(own)}' as own (read_only)")
        if target:
            # What the build file cannot hold is an error here already.
            con.execute(
                f"attach '{quoted(target)}' as target (storage_version '{STORAGE_VERSION}')"
            )
        path = [f"analytics.{schema}" for schema in PUBLISHED_SCHEMAS]
        path.append(f"{'own' if own else 'analytics'}.{CUSTOM}")
        there = con.execute(
            "select concat_ws('.', database_name, schema_name) from duckdb_schemas()"
        ).fetchall()
        con.execute(f"set search_path = '{','.join(each for each in path if (each,) in there)}'")
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
        yield con


@contextmanager
def interrupted_after(con: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt the connection's query if the block takes longer; it raises InterruptException.

    A signal interrupts it too: DuckDB hears one only between its own steps, which may never come.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    has_ended = threading.Event()

    def watch() -> None:
        select.select([theirs], [], [], seconds)
        while not has_ended.is_set():
            con.interrupt()  # which is lost between two statements
            has_ended.wait(0.05)

    watcher = threading.Thread(target=watch, daemon=True)
    with ours, theirs:
        before = signal.set_wakeup_fd(ours.fileno())
        watcher.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            has_ended.set()
            with suppress(BlockingIOError):
                ours.send(b"\0")
            watcher.join()
