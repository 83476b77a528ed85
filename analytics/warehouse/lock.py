"""A lock on the data directory: one batch, or one collection of lists, at a time.

A batch waits for who holds it shared, to copy the directory.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analytics import disk
from analytics.errors import AnalyticsError, BusyError, UsageError
from analytics.warehouse.damage import require_no_links
from analytics.warehouse.holders import COLLECTION, acquired, read_holder
from analytics.warehouse.layout import Layout
from analytics.warehouse.publish import repair
from analytics.warehouse.scratch import remove_left

PROBE_SECONDS = 1.0
"""Seconds that a batch waits for another one: `holder_of` holds the lock for a moment."""

WAIT_SECONDS = 60.0
"""Seconds that a collection waits for the lock, and a batch for a collection, which is short."""

READER_SECONDS = 300.0
"""Seconds that a batch waits for those who hold the lock shared."""


@contextmanager
def batch_lock(layout: Layout) -> Iterator[None]:
    """Lock the data directory for a batch, and repair what an interrupted one left.

    BusyError if another batch holds it, or a collection does for long. What is killed holds no
    lock.
    """
    with _locked(layout, PROBE_SECONDS):
        yield


@contextmanager
def collection_lock(layout: Layout) -> Iterator[None]:
    """Do the same for a collection; BusyError if the lock is held for long."""
    with _locked(layout, WAIT_SECONDS, COLLECTION):
        yield


@contextmanager
def _locked(layout: Layout, seconds: float, kind: str = "") -> Iterator[None]:
    if "?" in str(disk.real(layout.root)):
        raise UsageError(
            f"The data directory {layout.root} has a question mark in its path, which DuckDB does"
            " not read as one.\nRename that folder, or name another one with --data-dir."
        )
    try:
        layout.root.mkdir(parents=True, exist_ok=True)
        if _is_foreign(layout.lock):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        cause = error.strerror
        if layout.root.is_file():
            cause = "it is a file"
        elif layout.root.is_symlink() and not layout.root.exists():
            cause = f"it is a link to {layout.root.readlink()}, which is not there"
        elif _is_foreign(layout.lock):
            cause = f"{layout.lock} is no file, and has to be removed"
        elif os.path.lexists(layout.lock):
            cause = f"{layout.lock}: {error.strerror}"
        raise AnalyticsError(
            f"The data directory {layout.root} cannot be used: {cause}.\n"
            "Name another one with --data-dir, or let yourself write there."
        ) from error
    try:
        _acquire(descriptor, layout, seconds)
        _write_holder(descriptor, layout, kind)
        _put_right(layout)
        yield
    finally:
        os.close(descriptor)


def _write_holder(descriptor: int, layout: Layout, kind: str) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {kind}".strip().encode() + b"\n", 0)
    except OSError as error:  # a full disk, in whose error there is no name
        raise OSError(error.errno, error.strerror, str(layout.lock)) from error


def _put_right(layout: Layout) -> None:
    """Repair or remove what interrupted work left; AnalyticsError if something is in the way."""
    repair(layout)
    for file in (layout.warehouse, layout.marts):
        require_no_links(file)
    remove_left(layout.root)


def _is_foreign(path: Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not path.is_file())


def _acquire(descriptor: int, layout: Layout, seconds: float) -> None:
    """Acquire the lock; BusyError after so many seconds.

    Where a collection holds it, or readers do, it is waited for longer.
    """
    began = time.monotonic()
    while not acquired(descriptor, fcntl.LOCK_EX):
        holder = read_holder(descriptor)
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
