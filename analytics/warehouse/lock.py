"""A lock on the data directory: one batch at a time."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from analytics.errors import AnalyticsError, BusyError
from analytics.warehouse.layout import Layout

PROBE_SECONDS = 1.0
"""Seconds to wait for the lock, because `is_held` holds it for a moment."""


@contextmanager
def batch_lock(layout: Layout) -> Iterator[None]:
    """Lock the data directory.

    BusyError if another batch holds it. A killed batch holds no lock.
    """
    try:
        layout.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        cause = "it is a file" if layout.root.is_file() else error.strerror
        raise AnalyticsError(
            f"The data directory {layout.root} cannot be used: {cause}.\n"
            "Name another one with --data-dir, or let yourself write there."
        ) from error
    try:
        if not _acquired_within(descriptor, PROBE_SECONDS):
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise BusyError(
                f"Another batch is at work in {layout.root} (process {holder}).\n"
                "Wait until it has ended, or use another --data-dir."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _acquired_within(descriptor: int, seconds: float) -> bool:
    """Return True once the lock is acquired; False after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def is_held(layout: Layout) -> bool:
    """Return True if a batch is running; the probe holds the lock only for a moment."""
    try:
        with layout.lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
