"""The size of the batch's files: what batches change in place leaves free blocks behind."""

from __future__ import annotations

from pathlib import Path

import duckdb

from analytics.warehouse.database import (
    NO_LOG,
    ROW_GROUP,
    STORAGE,
    attached,
    remove_database,
    spilling,
)
from analytics.warehouse.layout import Layout

_LARGEST_FREE_SHARE = 1 / 6
"""A file is at most 1.2 times as large as a new one."""


def compact_marts(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Write the build file anew if more than a sixth of it is free."""
    _compact(con, layout.marts, layout.next_marts, STORAGE)


def compact_warehouse(layout: Layout) -> None:
    """Write the warehouse, which nothing may have open, anew if more than a sixth of it is free."""
    with spilling(layout.root) as con:
        _compact(con, layout.warehouse, layout.next_warehouse, ROW_GROUP)


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
            with attached(con, made, "made", option, NO_LOG):
                con.execute("copy from database old to made")
        except BaseException:
            remove_database(made)
            raise
    made.replace(file)
