"""DuckDB files that cannot be used, known by DuckDB's error; they and their logs go as one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from analytics.errors import AnalyticsError
from analytics.warehouse.layout import logs_of

_WORDS = (
    "Corrupt database file",
    "Corrupt WAL file",
    "Failure while replaying WAL",
    "Could not read enough bytes from file",
    "is not a valid DuckDB database file",
)
_KINDS = (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)


class DamagedError(AnalyticsError):
    """A DuckDB file of the data directory cannot be used; a batch makes it anew."""

    def __init__(self, file: Path, state: str) -> None:
        super().__init__(f"{file} {state}\n`analytics nightly` makes it anew.")
        self.file = file
        self.state = state


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
            raise DamagedError(file, f"is damaged: {cause}") from error
        raise


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
    """Return the name under which a file that cannot be used, now, is kept."""
    return file.with_name(f"{file.stem}.aside-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{file.suffix}")


def set_aside(file: Path, aside: Path) -> None:
    """Rename a file and its logs, if they are there; of such files the last one alone is kept."""
    for earlier in file.parent.glob(f"{file.stem}.aside-*"):
        earlier.unlink()
    for path in (*logs_of(file), file):
        if path.exists():
            path.rename(path.with_name(path.name.replace(file.name, aside.name, 1)))


def remove_database(file: Path) -> None:
    """Delete a DuckDB file and the logs of a killed process."""
    for path in (file, *logs_of(file)):
        path.unlink(missing_ok=True)
