"""Errors as a user is told of them: in words, with a kind for machines, and an exit code."""

from __future__ import annotations

import errno
import os
import traceback
from dataclasses import dataclass
from pathlib import Path

from analytics.errors import INTERRUPTED, QUERY_INTERRUPTED, AnalyticsError, UsageError

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
    """Return the failure that an error is; for a full disk, add advice."""
    if is_out_of_memory(error):
        found = str(error).partition("\n")[0] or type(error).__name__
        return Failure(
            f"The memory is not enough: {found}\n"
            "Give the process more, or set memory_limit in [batch] to what it has.",
            "system",
        )
    if isinstance(error, AnalyticsError):
        return Failure(str(error), error.kind, error.exit_code)
    if isinstance(error, KeyboardInterrupt) or str(error) == QUERY_INTERRUPTED:
        return Failure("stopped", "interrupted", INTERRUPTED)
    if isinstance(error, OSError):
        return Failure(_advised(f"{error.strerror or error}{_place_of(error)}."), "system")
    import duckdb

    if isinstance(error, duckdb.Error):
        from analytics.warehouse.damage import damage_of

        text = f"DuckDB failed: {str(error).partition(chr(10))[0]}"  # the rest may quote records
        if damage_of(error):
            text += "\n`analytics nightly` finds the file that is damaged, and makes it anew."
        return Failure(_advised(text), "database")
    import polars as pl

    if isinstance(error, pl.exceptions.PolarsError) and _OF_SYSTEM in str(error):
        return Failure(_advised(f"A file could not be written: {error}"), "system")
    return Failure("".join(traceback.format_exception(error)), "defect")


def is_out_of_memory(error: BaseException) -> bool:
    """Return True for the error of a library, or a thread of it, that could get no memory."""
    return isinstance(error, MemoryError) or (
        not isinstance(error, UsageError) and any(word in str(error) for word in _NO_MEMORY)
    )


def _place_of(error: OSError) -> str:
    """Return the file of an error; without one, tell whether the working directory is gone."""
    if error.filename:
        return f": {error.filename}"
    try:
        Path.cwd()
    except FileNotFoundError:
        return ": the working directory has been removed.\nChange to another one"
    return ""


def _advised(text: str) -> str:
    if os.strerror(errno.ENOSPC) in text:
        return f"{text}\nMake room on the disk that was written to, and run again."
    if os.strerror(errno.EACCES) in text:
        return (
            f"{text}\nAnother user may have made it, such as root: give it back with chown, or run"
            " as that user."
        )
    return text
