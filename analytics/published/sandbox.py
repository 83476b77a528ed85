"""Ad hoc SQL on the published file: one statement that can only read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from analytics.errors import AnalyticsError, UsageError

_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
_CONFINED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@contextmanager
def open_published(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file read-only, without access to other files, extensions or settings."""
    if not file.exists():
        raise AnalyticsError(
            f"Nothing has been published at {file}.\nRun `analytics nightly` first."
        )
    try:
        with duckdb.connect(file, read_only=True, config=_CONFINED) as con:
            con.execute("set TimeZone = 'UTC'")
            con.execute("set search_path = 'marts,audit,reports'")
            con.execute("set lock_configuration = true")
            yield con
    except duckdb.Error as error:
        raise AnalyticsError(
            f"{file} cannot be read: {str(error).splitlines()[0]}\n"
            "It may be damaged, or of another release: `analytics nightly` publishes it anew."
        ) from error


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
            f"One statement is expected, {len(statements)} came. "
            "Give them one by one, without what follows a semicolon."
        )
    (statement,) = statements
    if statement.type not in _READING:
        raise UsageError(
            f"{statement.type.name} is refused: the published file can only be read. "
            "Use SELECT, DESCRIBE or EXPLAIN."
        )
    return statement


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn an error of DuckDB into a UsageError."""
    try:
        yield
    except duckdb.PermissionException as error:
        raise UsageError(
            f"Refused: a query sees the published tables alone, no file and no network.\n{error}"
        ) from error
    except duckdb.Error as error:
        raise UsageError(f"The query cannot be answered. {error}") from error
