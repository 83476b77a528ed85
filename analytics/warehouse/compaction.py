"""The size of the batch's files: what batches change in place leaves free blocks behind."""

from __future__ import annotations

from pathlib import Path

import duckdb

from analytics.warehouse.database import (
    ROW_GROUP,
    STORAGE_VERSION,
    attached,
    quoted,
    remove_database,
    spilling,
)
from analytics.warehouse.layout import Layout

_LARGEST_FREE_SHARE = 1 / 6
"""A file is at most 1.2 times as large as a new one."""


def compact_marts(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Write the build file anew if more than a sixth of it is free."""
    options = f"storage_version '{STORAGE_VERSION}'"
    _compact(con, layout.marts, layout.next_marts, options)


def compact_warehouse(layout: Layout) -> None:
    """Write the warehouse, which nothing may have open, anew if more than a sixth of it is free."""
    with spilling(layout.root) as con:
        _compact(con, layout.warehouse, layout.next_warehouse, f"row_group_size {ROW_GROUP}")


def _compact(con: duckdb.DuckDBPyConnection, file: Path, made: Path, options: str) -> None:
    """Write a file anew under another name, and put it in its place.

    A checkpoint writes what changed before it gives back what that replaces, so that a batch needs
    as much free space as it changes. Of a small file that is half of it; of a large one, where
    writing anew takes long, so little that the next batch may use it.
    """
    with attached(con, file) as catalog:
        ((blocks, free),) = con.execute(
            "select total_blocks, free_blocks from pragma_database_size() where database_name = ?",
            [catalog],
        ).fetchall()
        if free <= blocks * _LARGEST_FREE_SHARE:
            return
        remove_database(made)
        con.execute(f"attach '{quoted(made)}' as made ({options}, recovery_mode 'no_wal_writes')")
        try:
            con.execute(f"copy from database {catalog} to made")
            con.execute("checkpoint made")  # a detach would not tell that it could not write
        except BaseException:
            con.execute("detach made")
            remove_database(made)
            raise
        con.execute("detach made")
    made.replace(file)
