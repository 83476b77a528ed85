"""Standard streams that cost no command its work: what they cannot hold, or take, is left out."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def prepare_streams() -> None:
    """Open the standard streams that are closed, and make them bear what they cannot encode.

    Standard error, which is a log, also bears a full disk and a reader who has gone.
    """
    _open_descriptors()
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = io.TextIOWrapper(
            io.BufferedWriter(_Log()),
            encoding=sys.stderr.encoding if sys.stderr else "utf-8",
            errors="backslashreplace",
            line_buffering=True,
        )


def drop_output() -> None:
    """Flush standard output, or forget it: Python would try again on exit, and exit with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_descriptors() -> None:
    """Open the null device in place of a closed stream, lest a data file gets its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one


class _Log(io.RawIOBase):
    """Standard error without its errors of writing."""

    def __init__(self) -> None:
        self._file = io.FileIO(2, "w", closefd=False)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2

    def isatty(self) -> bool:
        return self._file.isatty()

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            written = self._file.write(data)
        except OSError:
            written = None
        return memoryview(data).nbytes if written is None else written
