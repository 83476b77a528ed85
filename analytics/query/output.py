"""Files that a command writes: whole or not at all, where the user meant, and never the batch's."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from analytics import files
from analytics.errors import UsageError
from analytics.warehouse.layout import is_of_a_batch

_MOST_LINKS = 40  # that lead to a file, as of Linux


@contextmanager
def replacing(output: Path) -> Iterator[BinaryIO]:
    """Yield a temporary file that replaces `output` when complete; a device is written directly.

    An OSError names `output`.
    """
    place = place_of(output)
    is_device = files.is_device(output)
    try:
        with _opened(output) if is_device else files.replacing(place) as file:
            yield file
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from error


@contextmanager
def replacing_text(output: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Do the same for text, whose line breaks stay as they are."""
    with replacing(output) as file, io.TextIOWrapper(file, encoding, newline="") as text:
        yield text


def _opened(device: Path) -> BinaryIO:
    """Open a device or pipe; FileExistsError for a file, or link to one, that took its place."""
    descriptor = os.open(device, os.O_WRONLY | os.O_CLOEXEC)  # which empties no file
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    return os.fdopen(descriptor, "wb")


def place_of(output: Path) -> Path:
    """Return the path that the links in a path of the user lead to; it need not be there.

    UsageError for one of the batch, its books or its pages, and for one that leads through a link
    or pipe that another user has put where all may write, as in /tmp, or into a folder made there:
    by a link any file of ours would be replaced.
    """
    path = output.absolute()
    place, left, link_count = Path(path.anchor), [*reversed(path.parts[1:])], 0
    while left:
        step = place / left.pop()
        if step.name == "..":
            step.lstat()  # an OSError where the system finds no way up
            place = place.parent
            continue
        if not stat.S_ISLNK(_mode_of(step)):
            place = step
            continue
        link_count += 1
        if link_count > _MOST_LINKS:
            raise UsageError(f"{output} is a link that leads to itself.")
        target = step.readlink()
        left += reversed(target.parts)  # of which the first one may be a root
    if is_of_a_batch(place):
        raise UsageError(
            f"{output} belongs to the data of the batch, and nothing was written.\n"
            "Name a place outside."
        )
    return place


def _mode_of(step: Path) -> int:
    """Return the mode of what stands at a step of the way, 0 for nothing."""
    try:
        found = step.lstat()
        is_led = stat.S_ISLNK(found.st_mode) or stat.S_ISFIFO(found.st_mode)
        is_strange = is_led and _is_of_others(found) and _is_open_to_all(step.parent)
    except OSError:
        return 0
    if is_strange:
        raise UsageError(
            f"{step} is another user's link or pipe, below a folder where all may write, and"
            " nothing was written.\nName another place."
        )
    return found.st_mode


def _is_open_to_all(folder: Path) -> bool:
    """Return True if all may write there, or where another user has made it or one above it."""
    found = folder.stat()
    return bool(found.st_mode & stat.S_IWOTH) or (
        _is_of_others(found) and folder != folder.parent and _is_open_to_all(folder.parent)
    )


def _is_of_others(found: os.stat_result) -> bool:
    return found.st_uid not in (0, os.geteuid())
