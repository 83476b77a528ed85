"""Processes that keep files of the data directory open or locked."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analytics.errors import BusyError

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.warehouse.layout import Layout

COLLECTION = "lists"
"""The word after the process in the lock file, if that is a collection."""

_FLOCK = "hhqqi"  # type, whence, start, length, process, as Linux lays them out


@dataclass(frozen=True, slots=True)
class Holder:
    """A batch or a collection that holds the data directory: its process, and since when."""

    process: str
    is_collection: bool
    since: datetime

    @property
    def kind(self) -> str:
        """It in words."""
        return "a collection" if self.is_collection else "a batch"


def holder_of(layout: Layout) -> Holder | None:
    """Return who holds the data directory; the probe holds the lock for a moment."""
    try:
        with layout.lock.open("rb") as file:
            is_free = acquired(file.fileno(), fcntl.LOCK_SH)
            return None if is_free else read_holder(file.fileno())
    except OSError:
        return None


@contextmanager
def at_rest(layout: Layout) -> Iterator[None]:
    """Keep batches from beginning; BusyError while one is at work.

    Unlike a batch, it leaves the lock file as it is, which tells how the last batch ended.
    """
    with ExitStack() as held:
        if layout.lock.exists():
            file = held.enter_context(layout.lock.open("rb"))
            if not acquired(file.fileno(), fcntl.LOCK_SH):
                holder = read_holder(file.fileno())
                raise BusyError(
                    f"{holder.kind.capitalize()} is at work in {layout.root}"
                    f" (process {holder.process}).\nWait until it has ended."
                )
        yield


def acquired(descriptor: int, kind: int) -> bool:
    """Lock a lock file, shared or alone; return False if others hold it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_holder(descriptor: int) -> Holder:
    """Return who holds a lock file that is locked."""
    process, _, kind = os.pread(descriptor, 32, 0).decode(errors="replace").strip().partition(" ")
    since = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
    return Holder(process or "unknown", kind == COLLECTION, since)


def user_of(file: Path) -> int | None:
    """Return a process that has a DuckDB file open; 0 if it cannot be seen.

    None if there is none, for files that this process has open, and on other systems than Linux.
    """
    if sys.platform != "linux":
        return None
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, 0, 0, 0, 0)
    try:
        with file.open("rb") as opened:
            found = fcntl.fcntl(opened, fcntl.F_GETLK, asked)
    except OSError:
        return None
    kind, _, _, _, process = struct.unpack(_FLOCK, found)
    return None if kind == fcntl.F_UNLCK else max(process, 0)
