"""Damage to a DuckDB file: to be known by the error that DuckDB raises, and set aside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from analytics.errors import AnalyticsError
from analytics.warehouse.layout import logs_of

LOG = ".wal"
"""The ending that DuckDB adds to the name of a file for that of its write-ahead log."""

_WORDS = (
    "Corrupt database file",
    "Corrupt WAL file",
    "Failure while replaying WAL",
    "Could not read enough bytes from file",
    "is not a valid DuckDB database file",
)
_KINDS = (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)


class DamagedError(AnalyticsError):
    """A DuckDB file of the data directory is damaged."""

    def __init__(self, file: Path, cause: str, message: str) -> None:
        super().__init__(message)
        self.file = file
        self.cause = cause


def damaged(file: Path, cause: str) -> DamagedError:
    """Return the error for a damaged file, each of which a batch makes anew."""
    return DamagedError(
        file, cause, f"{file} is damaged: {cause}\n`analytics nightly` makes it anew."
    )


def damage_of(error: BaseException) -> str | None:
    """Return the first line of DuckDB's error, if it or one that led to it tells of damage.

    DuckDB names no file in it, and raises its base class for a checksum. What may as well be a
    defect of DuckDB is among it.
    """
    at: BaseException | None = error
    while at:
        text = str(at)
        if isinstance(at, _KINDS) or any(words in text for words in _WORDS):
            return text.splitlines()[0]
        at = at.__cause__ or at.__context__
    return None


@contextmanager
def damage_errors(file: Path) -> Iterator[None]:
    """Raise DamagedError for damage that is found while this file alone is read."""
    try:
        yield
    except DamagedError:
        raise
    except Exception as error:
        if cause := damage_of(error):
            raise damaged(file, cause) from error
        raise


def log_of(file: Path) -> Path:
    """Return the path of the write-ahead log that DuckDB keeps for a file."""
    return file.with_name(file.name + LOG)


def require_no_links(file: Path) -> None:
    """Raise AnalyticsError for a link in the place of a log of a DuckDB file.

    DuckDB makes and removes logs, and would overwrite what another user has made it lead to.
    """
    for path in logs_of(file):
        if path.is_symlink():
            raise AnalyticsError(
                f"{path} is a link, and DuckDB would overwrite what it leads to.\n"
                "Move it away, and run again."
            )


def aside_of(file: Path) -> Path:
    """Return the name under which a file that is found damaged, now, is kept."""
    return file.with_name(f"{file.stem}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{file.suffix}")


def set_aside(file: Path, aside: Path) -> None:
    """Rename a damaged file and its log; of such files, the last one alone is kept."""
    for earlier in file.parent.glob(f"{file.stem}.damaged-*"):
        earlier.unlink()
    for path, name in ((log_of(file), log_of(aside)), (file, aside)):
        if path.exists():
            path.rename(name)
