"""Names and files on the disk: flushed, exchanged, opened to readers, removed."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
from pathlib import Path

_LIBRARY = ctypes.CDLL(None, use_errno=True)
_WORKING_DIRECTORY = -100
_EXCHANGE = 2

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


def replace(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file, or what replaces it, in one step; return when it is on the disk.

    Until then it has a hidden name, which is gone after an error.
    """
    unfinished = path.with_name(f".{path.name}{UNFINISHED}")
    try:
        unfinished.write_bytes(content)
        if mode is not None:
            unfinished.chmod(mode)
        sync(unfinished)
        unfinished.replace(path)
        sync(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def sync_tree(folder: Path) -> None:
    """Wait until a folder and all that it holds are on the disk, one file after the other."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def sync_file_system(folder: Path) -> None:
    """Wait until all that was written to the file system of a folder is on the disk.

    One call, where thousands of files in turn would take seconds. Where there is no such call, the
    folder is synced.
    """
    call = getattr(_LIBRARY, "syncfs", None)
    if call is None:
        sync_tree(folder)
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _require(call(descriptor), folder)
    finally:
        os.close(descriptor)


def exchange(first: Path, second: Path) -> None:
    """Exchange what two names stand for, in one step.

    OSError if a name is missing or a mount point, or the system or file system cannot do it.
    """
    call = getattr(_LIBRARY, "renameat2", None)
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(first))
    names = (os.fsencode(first), os.fsencode(second))
    _require(
        call(_WORKING_DIRECTORY, names[0], _WORKING_DIRECTORY, names[1], _EXCHANGE), first, second
    )


def _require(result: int, *paths: Path) -> None:
    if result:
        code = ctypes.get_errno()
        first, *second = map(str, paths)
        raise OSError(code, os.strerror(code), first, None, *second)


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
