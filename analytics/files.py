"""Files that the batch has not just made: read whole, or refused with a reason."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
