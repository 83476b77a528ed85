"""The DuckDB files of a batch. Only this module opens them for a batch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from analytics import files
from analytics.errors import AnalyticsError, BusyError, UsageError
from analytics.warehouse.damage import (
    DamagedError,
    damage_errors,
    damage_of,
    remove_database,
    require_no_links,
)
from analytics.warehouse.layout import Layout
from analytics.warehouse.memory import connection_limits
from analytics.warehouse.schema import SCHEMA_VERSION, create_statements
from analytics.warehouse.scratch import scratch_folder

BUILD_FILE = "build_file"
PUBLISHED_SCHEMAS = ("marts", "audit")
_PUBLISHED_PATH = ",".join(f"{BUILD_FILE}.{schema}" for schema in PUBLISHED_SCHEMAS)
# Older DuckDB tools open this format too.
STORAGE_VERSION = "v1.5.0"
_STORAGE = f"storage_version '{STORAGE_VERSION}'"
_NO_LOG = "recovery_mode 'no_wal_writes'"

_ROW_GROUP = "row_group_size 61440"
"""Half of DuckDB's default, which took 3 % off a first batch of 100,000 runs."""

_LARGEST_FREE_SHARE = 1 / 6
"""A file is at most 1.2 times as large as a new one."""

_UNOPENED = (
    "Let yourself read and write it; or move it away, and run `analytics nightly`, which makes it"
    " anew from what was landed."
)

OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "temp_directory": "",
}
"""Settings of every connection of a batch: by default DuckDB spills to `.tmp`, wherever it runs."""


@contextmanager
def spilling(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection; what does not fit in memory lies in a scratch folder of `root`.

    DuckDB's names there can be guessed, and it follows links.
    """
    with scratch_folder(root) as folder:
        config = OFFLINE | connection_limits() | {"temp_directory": str(folder or "")}
        with duckdb.connect(config=config) as con:
            yield con


@contextmanager
def open_warehouse(layout: Layout) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the batch's own file, and create its tables if it is new.

    Days and instants are in UTC. DamagedError if it cannot be used, also where that is found later:
    DuckDB does not say which file is damaged, and one that nobody named is taken for this one.
    """
    with damage_errors(layout.warehouse), spilling(layout.root) as con:
        with _open_errors(layout.warehouse):
            # Attached, because only an attached file accepts a row group size.
            con.execute(f"attach '{quoted(layout.warehouse)}' as warehouse ({_ROW_GROUP})")
            con.execute("use warehouse")
        con.execute("set TimeZone = 'UTC'")
        _lay_out(con, layout)
        yield con


@contextmanager
def attached_marts(
    con: duckdb.DuckDBPyConnection, file: Path, *, has_log: bool = True
) -> Iterator[None]:
    """Attach the build file to the warehouse, with its schemas on the search path.

    Without a log, commits are on the disk once the file is detached: a kill before loses them.
    """
    with attached(con, file, BUILD_FILE, _STORAGE, *([] if has_log else [_NO_LOG])):
        try:
            for schema in PUBLISHED_SCHEMAS:
                con.execute(f"create schema if not exists {BUILD_FILE}.{schema}")
            con.execute(f"set search_path = 'warehouse.main,{_PUBLISHED_PATH}'")
            yield
        except BaseException:  # a Ctrl-C in a transaction leaves it open: nothing can be run then
            with suppress(duckdb.TransactionException):
                con.rollback()
            raise
        finally:
            con.execute("set search_path = 'warehouse.main'")


@contextmanager
def marts_beside(con: duckdb.DuckDBPyConnection, file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Attach a finished build file read-only to the warehouse, and yield a connection to both.

    What it makes is temporary. DamagedError if a file is damaged, also where that is found later.
    """
    with damage_errors(file):
        attach_read_only(con, file, BUILD_FILE)
        other = con.cursor()
        try:
            path = f"warehouse.main,{_PUBLISHED_PATH},warehouse.reports"
            other.execute(f"set TimeZone = 'UTC'; set search_path = '{path}'")
            yield other
        finally:
            other.close()
            con.execute(f"detach {BUILD_FILE}")


@contextmanager
def attached(
    con: duckdb.DuckDBPyConnection, file: Path, catalog: str = "other_file", *options: str
) -> Iterator[str]:
    """Attach a file, read-only unless there are other options, and yield its catalog's name."""
    con.execute(f"attach '{quoted(file)}' as {catalog} ({', '.join(options or ['read_only'])})")
    try:
        yield catalog
        if _NO_LOG in options:  # a detach would not tell that it could not write
            con.execute(f"checkpoint {catalog}")
    finally:
        con.execute(f"detach {catalog}")


def stop(running: Mapping[Future[Any], duckdb.DuckDBPyConnection]) -> None:
    """Interrupt the connections of calls that run in threads, until all have ended.

    Between two statements, an interrupt is lost.
    """
    while waiting := [con for call, con in running.items() if not call.done()]:
        for con in waiting:
            with suppress(duckdb.ConnectionException):  # closed, just before its call ends
                con.interrupt()
        wait(running, timeout=0.05)


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what the block changes, or nothing of it if it raises."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()


def attach_read_only(con: duckdb.DuckDBPyConnection, file: Path, catalog: str) -> None:
    """Attach a file; the next one where it was replaced meanwhile, and so is gone."""
    require_no_links(file)
    while True:
        found = files.real(file)
        try:
            con.execute(f"attach '{quoted(found)}' as {catalog} (read_only)")
        except duckdb.Error:
            if files.real(file) == found:
                raise
        else:
            return


@contextmanager
def open_marts(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a finished build file read-only, with `marts` and `audit` on the search path.

    DamagedError if it is damaged, also where that is found later.
    """
    with damage_errors(file), spilling(file.parent) as con:
        con.execute("set TimeZone = 'UTC'")
        attach_read_only(con, file, BUILD_FILE)
        con.execute(f"set search_path = '{_PUBLISHED_PATH}'")
        yield con


def require_opens(file: Path) -> None:
    """Raise AnalyticsError if a file of the batch, if it is there, cannot be opened."""
    if not os.path.lexists(file):
        return
    with damage_errors(file), _open_errors(file), duckdb.connect(config=OFFLINE) as con:
        file.open("r+b").close()  # the batch writes to it
        attach_read_only(con, file, BUILD_FILE)


def compact_marts(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Write the build file anew if more than a sixth of it is free."""
    _compact(con, layout.marts, layout.next_marts, _STORAGE)


def compact_warehouse(layout: Layout) -> None:
    """Write the warehouse, which nothing may have open, anew if more than a sixth of it is free."""
    with spilling(layout.root) as con:
        _compact(con, layout.warehouse, layout.next_warehouse, _ROW_GROUP)


def _compact(con: duckdb.DuckDBPyConnection, file: Path, made: Path, option: str) -> None:
    """Write a file anew under another name, and put it in its place.

    A checkpoint writes what changed before it gives back what that replaces, so that a batch needs
    as much free space as it changes. Of a small file that is half of it; of a large one, where
    writing anew takes long, so little that the next batch may use it.
    """
    with attached(con, file, "old"):
        ((blocks, free),) = con.execute(
            "select total_blocks, free_blocks from pragma_database_size()"
            " where database_name = 'old'"
        ).fetchall()
        if free <= blocks * _LARGEST_FREE_SHARE:
            return
        remove_database(made)
        try:
            with attached(con, made, "made", option, _NO_LOG):
                con.execute("copy from database old to made")
        except BaseException:
            remove_database(made)
            raise
    made.replace(file)


def read_whole(con: duckdb.DuckDBPyConnection, catalog: str) -> None:
    """Read each block of an attached file once, by which DuckDB verifies its checksum."""
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ?", [catalog]
    ).fetchall()
    for schema, table in tables:
        # A hash needs all of a row; a count is answered by statistics.
        con.execute(f'select bit_xor(hash(*columns(*))) from {catalog}."{schema}"."{table}"')
        con.fetchall()


def record_count(con: duckdb.DuckDBPyConnection) -> int:
    """Return about how many records, all versions counted, there are of all sources."""
    ((rows,),) = con.execute(
        "select coalesce(sum(estimated_size), 0) from duckdb_tables() where schema_name = 'raw'"
    ).fetchall()
    return int(rows)


@contextmanager
def _open_errors(file: Path) -> Iterator[None]:
    """Turn the error of opening a file into an AnalyticsError that says what to do."""
    try:
        yield
    except OSError as error:
        raise AnalyticsError(f"{file} cannot be opened: {error.strerror}.\n{_UNOPENED}") from error
    except duckdb.Error as error:
        cause = str(error).splitlines()[0]
        if "version number" in cause:
            raise UsageError(
                f"{file} was written by a newer DuckDB than the installed {duckdb.__version__}.\n"
                "Use the newer release of this program, or another --data-dir."
            ) from error
        if damage_of(error) or not isinstance(error, duckdb.IOException):
            raise
        if "lock" in cause:
            raise BusyError(
                f"{file} is open in another program, which keeps the batch out.\n"
                f"Close it, and read analytics.duckdb instead. ({cause})"
            ) from error
        raise AnalyticsError(f"{file} cannot be opened: {cause}\n{_UNOPENED}") from error


def _lay_out(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Create the tables of a new file; DamagedError for those of an older release."""
    exists = con.execute(
        "select 1 from duckdb_tables()"
        " where schema_name = 'ledger' and table_name = 'schema_version'"
    ).fetchone()
    if not exists:
        con.execute(f"begin; {create_statements()} commit;")
        return
    ((version,),) = con.execute("select max(version) from ledger.schema_version").fetchall()
    if version < SCHEMA_VERSION:
        raise DamagedError(
            layout.warehouse,
            f"was written by an older release of this program (data version {version}, this release"
            f" makes {SCHEMA_VERSION})",
        )
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"{layout.root} was written by a newer release of this program (data version {version},"
            f" this release knows {SCHEMA_VERSION}).\nUse the newer release, or another --data-dir."
        )


def quoted(text: str | Path) -> str:
    """Return a text or a path as it stands within quotes in SQL."""
    return str(text).replace("'", "''")


def records(
    con: duckdb.DuckDBPyConnection, sql: str, values: Sequence[object] = ()
) -> list[dict[str, Any]]:
    """Return the rows of a query by the names of their columns."""
    found = con.execute(sql, values)
    names = [name for name, *_ in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
