"""Folders for what does not fit in memory: in the data directory, and gone even after a kill."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".analytics-"


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path | None]:
    """Yield a new folder in `root`, and remove it; None for those who cannot write there.

    A folder is locked while it is in use. Those of processes that were killed are removed first.
    """
    try:
        remove_left(root)
        folder = _new(root)
        while (descriptor := _locked(folder)) is None:  # another process took it for a left one
            folder = _new(root)
    except OSError:
        yield None
        return
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def work_folder(root: Path) -> Iterator[Path]:
    """Yield a scratch folder, or one of the system for those who cannot write in `root`."""
    with (
        scratch_folder(root) as folder,
        tempfile.TemporaryDirectory(prefix="analytics-") as temporary,
    ):
        yield folder or Path(temporary)


def remove_left(root: Path) -> None:
    """Remove the scratch folders of processes that were killed."""
    for folder in root.glob(f"{_PREFIX}*"):
        if (descriptor := _locked(folder)) is not None:
            if os.fstat(descriptor).st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)


def _new(root: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root)).resolve()


def _locked(folder: Path) -> int | None:
    """Lock a folder; None if another process holds it, or has just removed it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    if acquired(descriptor, fcntl.LOCK_EX) and folder.exists():
        return descriptor
    os.close(descriptor)
    return None


def acquired(descriptor: int, kind: int) -> bool:
    """Lock an open file or folder, shared or alone; return False if others hold it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
