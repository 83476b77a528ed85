"""Names and files on the disk: flushed, opened to readers, removed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import BinaryIO

_OURS = 0o600

UNFINISHED = ".unfinished"
"""The end of the name of a file or folder until it is complete."""


def real(path: Path) -> Path:
    """Return the path without links; one that leads to itself stays, where `resolve` may raise."""
    return Path(os.path.realpath(path))


def is_device(path: Path) -> bool:
    """Return True for a device, a pipe or a folder; a link to a pipe leads to no path."""
    return path.exists() and not path.is_file()


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path, mode: int | None = None, *, is_new: bool = False) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of `path` at the end of the block, unless that raises.

    Until then it has a hidden name that nobody can guess, and is written by its descriptor alone:
    where others may write into the folder, any name may become a link. Without `mode`, it has that
    of our own file that it replaces; else it is ours alone. FileExistsError if `is_new`, and
    something is there.
    """
    descriptor, name = tempfile.mkstemp(UNFINISHED, f".{path.name}.", path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            wanted = _mode_of(path) if mode is None else mode
            if wanted != _OURS:  # on a disk with one mode for all files, another cannot be set
                os.fchmod(descriptor, wanted)
            yield file
        if is_new:
            path.hardlink_to(unfinished)  # unlike a rename, it replaces no file
        else:
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _mode_of(path: Path) -> int:
    """Return the mode of a file of ours; that of another user could show to all what we write."""
    with suppress(FileNotFoundError):
        found = path.lstat()
        if found.st_uid == os.geteuid():
            return stat.S_IMODE(found.st_mode)
    return _OURS


def replace(path: Path, content: bytes, mode: int = _OURS) -> None:
    """Write a file as `replacing` does; return when it is on the disk. Remove what a kill left."""
    for left in path.parent.glob(f".{escape(path.name)}.*{UNFINISHED}"):
        with suppress(OSError):  # of another user
            left.unlink()
    with replacing(path, mode) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)


def sync_tree(folder: Path) -> None:
    """Wait until a folder and all that it holds are on the disk.

    Several at a time, which a file system writes together.
    """
    with ThreadPoolExecutor(8) as workers:
        for synced in [workers.submit(sync, path) for path in (*folder.rglob("*"), folder)]:
            synced.result()


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def add_read_bits(folder: Path, mode: int) -> None:
    """Add the read and enter bits that `mode` implies; keep all permissions that the folder has."""
    allowed = stat.S_IMODE(folder.stat().st_mode)
    if (wanted := allowed | folder_mode(mode)) != allowed:
        folder.chmod(wanted)


def set_modes(folder: Path, mode: int) -> None:
    """Give all files of a folder this mode, and its folders the enter bits that go with it."""
    if stat.S_IMODE(folder.stat().st_mode) != folder_mode(mode):
        folder.chmod(folder_mode(mode))
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                set_modes(Path(entry), mode)
            elif entry.is_symlink():
                continue
            elif stat.S_IMODE(entry.stat().st_mode) != mode:  # not one of the site before
                Path(entry).chmod(mode)


def folder_mode(mode: int) -> int:
    """Add the enter bit for everybody who may read."""
    return mode | (mode & 0o444) >> 2
