"""Files that a command writes: whole or not at all, and never among those of the batch."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from analytics import files
from analytics.errors import AnalyticsError, UsageError
from analytics.warehouse.layout import is_of_a_batch


@contextmanager
def replacing(output: Path) -> Iterator[BinaryIO]:
    """Yield a temporary file that replaces `output` when complete; a device is written directly."""
    require_free(output)
    is_device = files.is_device(output)
    try:
        with output.open("wb") if is_device else files.replacing(files.real(output)) as file:
            yield file
    except OSError as error:
        raise AnalyticsError(f"{output} cannot be written: {error.strerror}.") from error


@contextmanager
def replacing_text(output: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Do the same for text, whose line breaks stay as they are."""
    with replacing(output) as file, io.TextIOWrapper(file, encoding, newline="") as text:
        yield text


def require_free(output: Path) -> None:
    """Raise UsageError for a path that belongs to the batch, its books or its pages."""
    if is_of_a_batch(files.real(output)):
        raise UsageError(
            f"{output} belongs to the data of the batch, and nothing was written.\n"
            "Name a place outside with --output."
        )
