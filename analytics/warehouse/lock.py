"""A lock on the data directory: one batch, or one collection of lists, at a time.

A batch waits for who holds it shared, to copy the directory.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile

from analytics import files
from analytics.errors import AnalyticsError, BusyError, UsageError, advised
from analytics.warehouse.damage import require_no_links
from analytics.warehouse.landed import folders_in
from analytics.warehouse.layout import Layout
from analytics.warehouse.publications import require_past
from analytics.warehouse.publish import require_places, tidy
from analytics.warehouse.scratch import acquired, remove_left

PROBE_SECONDS = 1.0
"""Seconds that a batch waits for another one: a probe holds the lock for a moment."""

WAIT_SECONDS = 60.0
"""Seconds that a collection waits for the lock, and a batch for a collection, which is short."""

READER_SECONDS = 300.0
"""Seconds that a batch waits for those who hold the lock shared."""

_BLOCK = 4096
"""Bytes that are written to try whether there is any room: on a full disk, files can be made."""

_LINE = 31
"""Characters in the lock file, less the end of its line."""

_COLLECTION = "lists"
"""The word after the process in the lock file, if that is a collection."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A batch or a collection that holds the data directory, with its process and its start."""

    process: str
    is_collection: bool
    since: datetime


@contextmanager
def batch_lock(layout: Layout) -> Iterator[None]:
    """Lock the data directory for a batch, which can publish there; remove what a killed one left.

    BusyError if another batch holds it, or a collection does for long. What is killed holds no
    lock. UsageError if this machine's clock is behind what was landed or published.
    """
    with _locked(layout, PROBE_SECONDS):
        require_places(layout)
        yield


@contextmanager
def collection_lock(layout: Layout) -> Iterator[None]:
    """Do the same for a collection; BusyError if the lock is held for long."""
    with _locked(layout, WAIT_SECONDS, _COLLECTION):
        yield


@contextmanager
def probed(layout: Layout) -> Iterator[Holder | None]:
    """Yield who holds the data directory; if nobody does, a batch waits for the block's end."""
    with ExitStack() as stack:
        holder = None
        with suppress(OSError):
            file = stack.enter_context(layout.lock.open("rb"))
            if not acquired(file.fileno(), fcntl.LOCK_SH):
                holder = _read_holder(file.fileno())
        yield holder


def require_writable(layout: Layout) -> None:
    """Raise AnalyticsError unless a batch can write into each of its folders; nothing is left."""
    with _write_errors(layout):
        landed = folders_in(layout.landing)
        if layout.lock.exists():
            layout.lock.open("r+b").close()
    others = (layout.published, layout.publications, layout.landing, *landed)
    for folder in (layout.root, *(each for each in others if each.is_dir())):
        with _write_errors(layout, folder), TemporaryFile(dir=folder) as file:
            file.write(bytes(_BLOCK))


@contextmanager
def _write_errors(layout: Layout, path: Path | None = None) -> Iterator[None]:
    """Raise AnalyticsError for an error of the system, with that path or the one that it names."""
    try:
        yield
    except OSError as error:
        text = (
            f"The data directory {layout.root} cannot be written: {error.strerror}:"
            f" {path or error.filename}."
        )
        advice = "Name another one with --data-dir, or let yourself write there."
        raise AnalyticsError(advised(text, advice)) from None  # it tells all that is known


@contextmanager
def _locked(layout: Layout, seconds: float, kind: str = "") -> Iterator[None]:
    if "?" in str(files.real(layout.root)):
        raise UsageError(
            f"The data directory {layout.root} has a question mark in its path, which DuckDB does"
            " not read as one.\nRename that folder, or name another one with --data-dir."
        )
    with _write_errors(layout):
        layout.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        _acquire(descriptor, layout, seconds)
        require_past(layout)
        with _write_errors(layout, layout.lock):
            # All of it at once, over what was there: a full disk has no room for more.
            os.pwrite(descriptor, f"{os.getpid()} {kind}".ljust(_LINE).encode() + b"\n", 0)
        tidy(layout)
        for left in layout.leftovers:
            files.remove(left)
        require_writable(layout)
        for file in (layout.warehouse, layout.marts):
            require_no_links(file)
        remove_left(layout.root)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, layout: Layout, seconds: float) -> None:
    """Acquire the lock; BusyError after so many seconds.

    Where a collection holds it, or readers do, it is waited for longer.
    """
    began = time.monotonic()
    while not acquired(descriptor, fcntl.LOCK_EX):
        holder = _read_holder(descriptor)
        if _held_by_readers(descriptor):
            kind, limit = "A reader", READER_SECONDS
        elif holder.is_collection:
            kind, limit = "A collection", max(seconds, WAIT_SECONDS)
        else:
            kind, limit = "Another batch", seconds
        if time.monotonic() - began > limit:
            raise BusyError(
                f"{kind} is at work in {layout.root} (process {holder.process}).\n"
                "Wait until it has ended, or use another --data-dir."
            )
        time.sleep(0.02)


def _held_by_readers(descriptor: int) -> bool:
    if not acquired(descriptor, fcntl.LOCK_SH):
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def _read_holder(descriptor: int) -> Holder:
    """Return who holds a lock file that is locked."""
    text = os.pread(descriptor, _LINE, 0).decode(errors="replace")
    process, _, kind = text.strip().partition(" ")
    since = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
    return Holder(process or "unknown", kind == _COLLECTION, since)
