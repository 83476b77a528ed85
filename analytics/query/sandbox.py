"""Ad hoc SQL on the published file: one statement that can only read it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from analytics.errors import QUERY_INTERRUPTED, AnalyticsError, UsageError, nothing_published
from analytics.project.allowed import NotAllowedError, judged, kind_of, trimmed, without_paths
from analytics.query.pivot import written_out
from analytics.warehouse.confined import Limits, interrupted_after, open_confined
from analytics.warehouse.damage import damage_of
from analytics.warehouse.layout import logs_of
from analytics.warehouse.scratch import work_folder

_READING = ("SELECT", "EXPLAIN")
_MOST_COLUMNS = 1_000


@contextmanager
def open_published(
    file: Path, limits: Limits | None = None, temporary: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file read-only, without access to other files, extensions or settings.

    `limits` bound the memory of queries, and what they spill into the folder `temporary`, if there
    is one; see also `bounded`.
    """
    if not file.exists():
        raise nothing_published(file)
    try:
        with _without_log(file) as readable, open_confined(readable, limits, temporary) as con:
            yield con
    except duckdb.Error as error:
        cause = str(error).splitlines()[0]
        if "Could not set lock" in cause:
            raise AnalyticsError(
                f"{file} is open for writing in another program: {cause}\n"
                "Close it there, and open it read-only; the next `analytics nightly` replaces it."
            ) from error
        if "Permission denied" in cause:
            raise AnalyticsError(
                f"{file} cannot be read: Permission denied.\n"
                "Let its owner set `mode` in [publish], or run as the user of the batch."
            ) from error
        raise AnalyticsError(
            f"{file} cannot be read: {cause}\n"
            "It may be damaged, or of another release: `analytics nightly` publishes it anew."
        ) from error


@contextmanager
def _without_log(file: Path) -> Iterator[Path]:
    """Yield a published file as it was published, and not what others have logged beside it."""
    if not logs_of(file):
        yield file
        return
    with work_folder(file.parent) as folder:
        copy = folder / file.name
        shutil.copyfile(file, copy)
        yield copy


@contextmanager
def bounded(con: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[None]:
    """Stop a query at the time limit, or at a Ctrl-C; UsageError names the limit it reached."""
    try:
        with interrupted_after(con, limits.seconds):
            yield
    except UsageError:
        raise
    except Exception as error:
        if str(error) == QUERY_INTERRUPTED:
            raise KeyboardInterrupt from error
        if words := limits.in_words(error):
            raise UsageError(f"The query has no answer: {words}.") from error
        raise


def parsed(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return the one SELECT (or EXPLAIN, DESCRIBE, SHOW) of a text, as it is to be run.

    UsageError for anything else.
    """
    with usage_errors(sql):
        statements = con.extract_statements(sql)
    if not statements:
        raise UsageError('The query is empty. Try: analytics sql "show tables"')
    if len(statements) != 1:
        raise UsageError(
            f"One statement is expected, and these are {len(statements)}: run them one at a time."
        )
    (statement,) = statements
    kind = kind_of(statement)
    if kind == "MULTI":
        return _pivot(con, trimmed(statement.query))
    if kind not in _READING:
        raise UsageError(
            f"{kind} is refused: the published file can only be read. "
            "Use SELECT, DESCRIBE or EXPLAIN."
        )
    try:
        return judged(statement)
    except NotAllowedError as error:
        raise UsageError(
            f"{error} is refused: a query sees the published tables, and nothing of the machine."
        ) from None


def _pivot(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return a PIVOT without lists of values as one with them, which is judged as any other text.

    So is each SELECT that asks for values. UsageError for another statement of several parts.
    """

    def values(select: str) -> list[str]:
        found = con.execute(parsed(con, select)).fetchmany(_MOST_COLUMNS + 1)
        if not 0 < len(found) <= _MOST_COLUMNS:
            made = f"more than {_MOST_COLUMNS:,} columns" if found else "no column"
            reason = f"PIVOT makes {made} of the values"
            raise UsageError(f"The query has no answer: {reason}.")
        return [value for (value,) in found]

    try:
        if written := written_out(sql, values):
            return parsed(con, written)
    except UsageError as error:
        if not isinstance(error.__cause__, duckdb.ParserException):
            raise
    raise UsageError(
        "A statement of several parts is refused: the published file can only be read. If it is a"
        " PIVOT, list its values: PIVOT t ON x IN ('a', 'b') USING sum(y)."
    )


@contextmanager
def usage_errors(sql: str) -> Iterator[None]:
    """Turn an error of DuckDB that a statement caused into a UsageError."""
    try:
        yield
    except (duckdb.InterruptException, duckdb.OutOfMemoryException, duckdb.IOException):
        raise  # `bounded` names the limit, and `open_published` the file
    except duckdb.PermissionException as error:
        raise UsageError(
            f"Refused: a query sees the published tables alone, no file and no network."
            f"\n{without_paths(str(error), sql)}"
        ) from error
    except duckdb.Error as error:
        if damage_of(error):
            raise  # `open_published` names the file
        raise UsageError(
            f"The query cannot be answered. {without_paths(str(error), sql)}"
        ) from error
