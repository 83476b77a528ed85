"""The published file, opened to be read while a batch may replace it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.errors import AnalyticsError, nothing_published
from analytics.warehouse.layout import logs_of
from analytics.warehouse.scratch import work_folder

if TYPE_CHECKING:
    import duckdb


@contextmanager
def open_published(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file read-only, without access to other files, extensions or settings.

    AnalyticsError if it cannot be read.
    """
    import duckdb  # which a process that only starts another one is spared

    from analytics.bounded.confined import open_confined

    try:
        with as_published(file) as readable, open_confined(readable) as con:
            yield con
    except duckdb.Error as error:
        raise unreadable(file, str(error).splitlines()[0]) from error


@contextmanager
def as_published(file: Path) -> Iterator[Path]:
    """Yield a file as it was published, and not what others have logged beside it.

    AnalyticsError if there is none.
    """
    if not file.is_file():
        raise nothing_published(file)
    if not logs_of(file):
        yield file
        return
    with work_folder(file.parent) as folder:
        yield Path(shutil.copyfile(file, folder / file.name))


def unreadable(file: Path, cause: str) -> AnalyticsError:
    """Return the error of a published file that DuckDB cannot read, with what helps."""
    if "Could not set lock" in cause:
        return AnalyticsError(
            f"{file} is open for writing in another program: {cause}\n"
            "Close it there, and open it read-only; the next `analytics nightly` replaces it."
        )
    if "Permission denied" in cause:
        return AnalyticsError(
            f"{file} cannot be read: Permission denied.\n"
            "Let its owner set `mode` in [publish], or run as the user of the batch."
        )
    return AnalyticsError(
        f"{file} cannot be read: {cause}\n"
        "It may be damaged, or of another release: `analytics nightly` publishes it anew."
    )
