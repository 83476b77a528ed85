"""Ad hoc SQL on the published file: one statement that can only read it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from analytics.errors import AnalyticsError, UsageError
from analytics.warehouse.confined import Limits, interrupted_after, open_confined

_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}


@contextmanager
def open_published(file: Path, limits: Limits | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file read-only, without access to other files, extensions or settings.

    `limits` bound the memory of queries and what they spill to disk; see also `bounded`.
    """
    if not file.exists():
        raise AnalyticsError(
            f"Nothing has been published at {file}.\nRun `analytics nightly` first."
        )
    try:
        with (
            tempfile.TemporaryDirectory(prefix="analytics-") as temporary,
            open_confined(file, limits, Path(temporary)) as con,
        ):
            yield con
    except duckdb.Error as error:
        raise AnalyticsError(
            f"{file} cannot be read: {str(error).splitlines()[0]}\n"
            "It may be damaged, or of another release: `analytics nightly` publishes it anew."
        ) from error


@contextmanager
def bounded(con: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[None]:
    """Stop a query at the time limit, or at a Ctrl-C; UsageError names the limit it reached."""
    try:
        with interrupted_after(con, limits.seconds):
            yield
    except UsageError:
        raise
    except Exception as error:
        if str(error) == "Query interrupted":  # the word for a Ctrl-C that DuckDB heard
            raise KeyboardInterrupt from error
        if words := limits.in_words(error):
            raise UsageError(f"The query has no answer: {words}.") from error
        raise


def parsed(con: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Return the one SELECT (or EXPLAIN, DESCRIBE, SHOW) of a text.

    UsageError for anything else.
    """
    with usage_errors():
        statements = con.extract_statements(sql)
    if not statements:
        raise UsageError('The query is empty. Try: analytics sql "show tables"')
    if len(statements) != 1:
        raise UsageError(
            f"One statement is expected, and these are {len(statements)}: run them one at a time."
        )
    (statement,) = statements
    try:
        kind = statement.type
    except ValueError:  # one that the library has no name for
        kind = duckdb.StatementType.INVALID
    if kind not in _READING:
        raise UsageError(
            f"{kind.name} is refused: the published file can only be read. "
            "Use SELECT, DESCRIBE or EXPLAIN."
        )
    return statement


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn an error of DuckDB into a UsageError."""
    try:
        yield
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        raise  # `bounded` names the limit
    except duckdb.PermissionException as error:
        raise UsageError(
            f"Refused: a query sees the published tables alone, no file and no network.\n{error}"
        ) from error
    except duckdb.Error as error:
        raise UsageError(f"The query cannot be answered. {error}") from error
