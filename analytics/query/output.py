"""Files that a command writes: whole or not at all, where the user meant, and never the batch's."""

from __future__ import annotations

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
_OPEN_TO_ALL = stat.S_ISVTX | stat.S_IWOTH


@contextmanager
def replacing(output: Path) -> Iterator[BinaryIO]:
    """Yield a temporary file that replaces `output` when complete; a device is written directly.

    An OSError names `output`.
    """
    place = place_of(output)
    is_device = files.is_device(output)
    try:
        with output.open("wb") if is_device else files.replacing(place) as file:
            yield file
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from error


@contextmanager
def replacing_text(output: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Do the same for text, whose line breaks stay as they are."""
    with replacing(output) as file, io.TextIOWrapper(file, encoding, newline="") as text:
        yield text


def place_of(output: Path) -> Path:
    """Return the path that the links in a path of the user lead to; it need not be there.

    UsageError for one of the batch, its books or its pages, and for one that leads through a link
    or pipe that another user has put where all may write, as in /tmp: by a link any file of ours
    would be replaced.
    """
    path = output.absolute()
    place, left, link_count = Path(path.anchor), [*reversed(path.parts[1:])], 0
    while left:
        step = place / left.pop()
        mode = _mode_of(step)
        if not stat.S_ISLNK(mode):
            place = step.parent.parent if step.name == ".." else step
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
        found, folder = step.lstat(), step.parent.stat()
    except OSError:
        return 0
    is_led = stat.S_ISLNK(found.st_mode) or stat.S_ISFIFO(found.st_mode)
    is_open = folder.st_mode & _OPEN_TO_ALL == _OPEN_TO_ALL
    if is_led and is_open and found.st_uid not in (0, os.geteuid()):
        raise UsageError(
            f"{step} is another user's link or pipe, in a folder where all may write, and nothing"
            " was written.\nName another place."
        )
    return found.st_mode
