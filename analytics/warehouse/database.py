"""The DuckDB files of a batch. Only this module opens them for a batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from analytics.errors import AnalyticsError, BusyError, UsageError
from analytics.warehouse.layout import Layout
from analytics.warehouse.schema import BOOKS, FINANCE, SCHEMA_VERSION, create_statements

BUILD_FILE = "build_file"
PUBLISHED_SCHEMAS = ("marts", "audit", "reports")
_PUBLISHED_PATH = ",".join(f"{BUILD_FILE}.{schema}" for schema in PUBLISHED_SCHEMAS)
# Older DuckDB tools open this format too.
STORAGE_VERSION = "v1.5.0"

ROW_GROUP = 61_440
"""Rows: half of DuckDB's default, which took 3 % off a first batch of 100,000 runs."""

OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
"""Settings of every connection of a batch."""


@contextmanager
def open_warehouse(layout: Layout) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the batch's own file, and create its tables if it is new.

    Days and instants are in UTC.
    """
    con = _connect(layout.warehouse)
    try:
        con.execute("set TimeZone = 'UTC'")
        _lay_out(con, layout)
        con.execute(FINANCE + BOOKS)
        yield con
    finally:
        con.close()


@contextmanager
def attached_marts(con: duckdb.DuckDBPyConnection, file: Path) -> Iterator[None]:
    """Attach the build file to the warehouse, with its schemas on the search path."""
    con.execute(f"attach '{quoted(file)}' as {BUILD_FILE} (storage_version '{STORAGE_VERSION}')")
    try:
        for schema in PUBLISHED_SCHEMAS:
            con.execute(f"create schema if not exists {BUILD_FILE}.{schema}")
        con.execute(f"set search_path = 'warehouse.main,{_PUBLISHED_PATH}'")
        yield
    finally:
        con.execute("set search_path = 'warehouse.main'")
        con.execute(f"detach {BUILD_FILE}")


@contextmanager
def interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt for a Ctrl-C during a query, of which DuckDB makes another error."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise


@contextmanager
def open_marts(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a finished build file read-only, with `marts` and `audit` on the search path."""
    con = duckdb.connect(config=OFFLINE)
    try:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"attach '{quoted(file)}' as {BUILD_FILE} (read_only)")
        con.execute(f"set search_path = '{_PUBLISHED_PATH}'")
        yield con
    finally:
        con.close()


def relation_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of all tables and views in published schemas."""
    found = con.execute(
        "select table_name from information_schema.tables where list_contains(?, table_schema)",
        [list(PUBLISHED_SCHEMAS)],
    )
    return [name for (name,) in found.fetchall()]


def _connect(file: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config=OFFLINE | {"temp_directory": f"{file}.tmp"})
    try:
        # Attached, because only an attached file accepts a row group size.
        con.execute(f"attach '{quoted(file)}' as warehouse (row_group_size {ROW_GROUP})")
        con.execute("use warehouse")
    except duckdb.IOException as error:
        con.close()
        cause = str(error).splitlines()[0]
        if "lock" in cause:
            raise BusyError(
                f"{file} is open in another program, which keeps the batch out.\n"
                f"Close it, and read analytics.duckdb instead. ({cause})"
            ) from error
        if "version number" in cause:
            raise UsageError(
                f"{file} was written by a newer DuckDB than the installed {duckdb.__version__}.\n"
                "Use the newer release of this program, or another --data-dir."
            ) from error
        raise AnalyticsError(
            f"{file} cannot be opened: {cause}\n"
            "If it is damaged, run `analytics rebuild`: it makes it anew from what was landed."
        ) from error
    return con


def _lay_out(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    exists = con.execute(
        "select 1 from duckdb_tables()"
        " where schema_name = 'ledger' and table_name = 'schema_version'"
    ).fetchone()
    if not exists:
        con.execute(f"begin; {create_statements()} commit;")
        return
    row = con.execute("select max(version) from ledger.schema_version").fetchone()
    if row and row[0] < SCHEMA_VERSION:
        raise UsageError(
            f"{layout.root} was written by an older release of this program (data version {row[0]},"
            f" this release makes {SCHEMA_VERSION}).\nRun `analytics rebuild`: it makes the"
            " warehouse anew from what was landed."
        )
    if row and row[0] > SCHEMA_VERSION:
        raise UsageError(
            f"{layout.root} was written by a newer release of this program (data version {row[0]}, "
            f"this release knows {SCHEMA_VERSION}).\nUse the newer release, or another --data-dir."
        )


def quoted(file: Path) -> str:
    """Return a path as it stands within quotes in SQL."""
    return str(file).replace("'", "''")
