"""One batch at a time."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from analytics.errors import AnalyticsError, BusyError
from analytics.warehouse.layout import Layout

LONGEST_LOOK = 1.0
"""Seconds for which whoever looks whether a batch is at work may keep one from starting."""


@contextmanager
def batch_lock(layout: Layout) -> Iterator[None]:
    """Hold the data directory; BusyError where another batch does. A dead batch holds nothing."""
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
        if not _taken_within(descriptor, LONGEST_LOOK):
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


def _taken_within(descriptor: int, seconds: float) -> bool:
    """Whether the lock could be had: who only looks, holds it for a moment."""
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
    """Tell whether a batch is at work; to look keeps none from its work for long."""
    try:
        with layout.lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
