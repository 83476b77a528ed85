"""Files: ours found, others' read whole or refused, and names on the disk flushed and removed."""

from __future__ import annotations

import hashlib
import io
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

from analytics.errors import NO_ROOM

_PACKAGE = Path(__file__).resolve().parent
_OURS = 0o600

UNFINISHED = ".unfinished"
"""The end of the name of a file or folder until it is complete."""


def folder(name: str) -> Path:
    """Return the folder `queries` or `reports`: of a checkout, else of the wheel's package."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


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
def named_if_full(path: Path) -> Iterator[None]:
    """Let the error of a full disk name a path: that of writing to an open file names none."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM and not error.filename:
            error.filename = str(path)
        raise


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
        with named_if_full(path), os.fdopen(descriptor, "wb") as file:
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

    Several at a time, which a file system writes together. A file of two names, as one of the site
    before, was synced by the other one.
    """
    paths = [path for path in folder.rglob("*") if path.is_dir() or path.lstat().st_nlink == 1]
    with ThreadPoolExecutor(8) as workers:
        for synced in [workers.submit(sync, path) for path in (*paths, folder)]:
            synced.result()


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Give a file a second name; copy it where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


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


def read_text(path: Path, project: Path, largest: int) -> str:
    """Return the text of a file of at most `largest` bytes within `project`. Never waits for one.

    OSError or ValueError if it is no such file.
    """
    with _opened(path, project) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"it is larger than {largest // 1_000_000} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8") from None
    if "\0" in text:
        raise ValueError("it holds a NUL character, so it is no text")
    return text


def read_bytes(path: Path, root: Path) -> bytes:
    """Return the bytes of a file within `root`. Never waits for one.

    OSError or ValueError if it is no such file.
    """
    with _opened(path, root) as file:
        return file.read()


def copy_file(path: Path, root: Path, target: Path) -> str:
    """Copy a file within `root` to a new one; return the SHA-256 of what was copied.

    OSError or ValueError if it is no such file.
    """
    with _opened(path, root) as file, target.open("xb") as copy:
        shutil.copyfileobj(file, copy)
    return hash_file(target, target.parent)


def hash_file(path: Path, project: Path) -> str:
    """Return the SHA-256 of the bytes of a file within `project`, as hexadecimal digits.

    OSError or ValueError if it is no such file.
    """
    with _opened(path, project) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _opened(path: Path, root: Path) -> Iterator[io.BufferedReader]:
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise ValueError("it is a link that leads out of the project")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no ordinary file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)
