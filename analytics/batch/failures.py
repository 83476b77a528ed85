"""Errors as a user is told of them: in words, with a kind for machines, and an exit code."""

from __future__ import annotations

import errno
import os
import traceback
from dataclasses import dataclass
from pathlib import Path

from analytics.errors import (
    INTERRUPTED,
    NO_ROOM,
    QUERY_INTERRUPTED,
    AnalyticsError,
    UsageError,
    advised,
    system_error_in,
)

_NO_MEMORY = (
    "Out of Memory Error",
    "Allocation failure",
    "Allocation error",  # of zstd
    "not enough memory",
    "std::bad_alloc",
    "can't start new thread",
    "Resource temporarily unavailable",  # of a thread, in C++ and Rust
    os.strerror(errno.ENOMEM),
)
_OF_SYSTEM = "(os error "  # in what Polars says of an OSError


@dataclass(frozen=True, slots=True)
class Failure:
    """The end of a command that failed: its words, `kind` for machines, and its exit code."""

    text: str
    kind: str
    exit_code: int = 1

    @property
    def is_defect(self) -> bool:
        """True for an error of this program, whose text is a traceback."""
        return self.kind == "defect"


def failure_of(error: BaseException) -> Failure:
    """Return the failure that an error is, with advice for an error of the disk."""
    if is_out_of_memory(error):
        found = str(error).partition("\n")[0] or type(error).__name__
        return Failure(
            f"The memory is not enough: {found}\n"
            "Give the process more, or set memory_limit in [batch] to what it has.",
            "system",
        )
    if full := _full_disk(error):
        return Failure(advised(full), "system")
    if isinstance(error, AnalyticsError):
        return Failure(str(error), error.kind, error.exit_code)
    if isinstance(error, KeyboardInterrupt) or str(error) == QUERY_INTERRUPTED:
        return Failure("stopped", "interrupted", INTERRUPTED)
    if isinstance(error, OSError):
        return Failure(advised(_told(error)), "system")
    import duckdb

    if isinstance(error, duckdb.Error):
        from analytics.warehouse.damage import damage_of

        if of_system := system_error_in(str(error)):
            return Failure(advised(of_system), "system")
        text = f"DuckDB failed: {str(error).partition(chr(10))[0]}"  # the rest may quote records
        if damage_of(error):
            text += "\n`analytics nightly` finds the file that is damaged, and makes it anew."
        return Failure(text, "database")
    import polars as pl

    if isinstance(error, pl.exceptions.PolarsError) and _OF_SYSTEM in str(error):
        return Failure(advised(f"A file could not be written: {error}"), "system")
    return Failure("".join(traceback.format_exception(error)), "defect")


def is_out_of_memory(error: BaseException) -> bool:
    """Return True for the error of a library, or a thread of it, that could get no memory."""
    return isinstance(error, MemoryError) or (
        not isinstance(error, UsageError) and any(word in str(error) for word in _NO_MEMORY)
    )


def _full_disk(error: BaseException) -> str:
    """Return the error of a full disk that led to an error, if one did: it hides all advice."""
    at: BaseException | None = error
    while at:
        if isinstance(at, OSError) and at.errno in NO_ROOM:
            return _told(at)
        if found := system_error_in(str(at), NO_ROOM):
            return found
        at = at.__cause__
    return ""


def _told(error: OSError) -> str:
    """Return an error and its file; without one, tell whether the working directory is gone."""
    written = error.filename2 if error.errno in NO_ROOM else None  # a copy names its source first
    if file := written or error.filename:
        return f"{error.strerror}: {file}."
    try:
        Path.cwd()
    except FileNotFoundError:
        return f"{error.strerror}: the working directory has been removed.\nChange to another one."
    return f"{error.strerror or error}."
