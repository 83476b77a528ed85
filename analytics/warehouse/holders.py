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
from typing import TYPE_CHECKING, BinaryIO

from analytics.errors import BusyError

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.warehouse.layout import Layout

BATCH = "a batch"
_KINDS = {"lists": "a collection"}
_FLOCK = "hhqqi"  # type, whence, start, length, process, as Linux lays them out


@dataclass(frozen=True, slots=True)
class Holder:
    """A batch or a collection that holds the data directory: its process, and since when."""

    process: str
    kind: str
    since: datetime


def holder_of(layout: Layout) -> Holder | None:
    """Return who holds the data directory; the probe holds the lock for a moment."""
    try:
        with layout.lock.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _holder(file)
    except OSError:
        return None
    return None


@contextmanager
def at_rest(layout: Layout) -> Iterator[None]:
    """Keep batches from beginning; BusyError while one is at work.

    Unlike a batch, it leaves the lock file as it is, which tells how the last batch ended.
    """
    with ExitStack() as held:
        if layout.lock.exists():
            file = held.enter_context(layout.lock.open("rb"))
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(file)
                raise BusyError(
                    f"{holder.kind.capitalize()} is at work in {layout.root}"
                    f" (process {holder.process}).\nWait until it has ended."
                ) from None
        yield


def _holder(file: BinaryIO) -> Holder:
    process, _, kind = file.read(32).decode(errors="replace").strip().partition(" ")
    since = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    return Holder(process or "unknown", _KINDS.get(kind, BATCH), since)


def user_of(file: Path, *, writing: bool = False) -> int | None:
    """Return a process that has a DuckDB file open, or open for writing; 0 if it cannot be seen.

    None if there is none, for files that this process has open, and on other systems than Linux.
    """
    if sys.platform != "linux":
        return None
    conflicting = fcntl.F_RDLCK if writing else fcntl.F_WRLCK
    asked = struct.pack(_FLOCK, conflicting, 0, 0, 0, 0)
    try:
        with file.open("rb") as opened:
            found = fcntl.fcntl(opened, fcntl.F_GETLK, asked)
    except OSError:
        return None
    kind, _, _, _, process = struct.unpack(_FLOCK, found)
    return None if kind == fcntl.F_UNLCK else max(process, 0)
