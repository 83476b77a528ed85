"""The size of a build file: what batches change in place leaves free blocks behind."""

from __future__ import annotations

import duckdb

from analytics.warehouse.database import STORAGE_VERSION, attached, quoted, remove_database
from analytics.warehouse.layout import Layout

_LARGEST_FREE_SHARE = 1 / 6
"""A file is at most 1.2 times as large as a new one."""


def compact(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Write the build file anew if more than a sixth of it is free.

    A checkpoint writes what changed before it gives back what that replaces, so that a batch needs
    as much free space as it changes. Of a small file that is half of it; of a large one, where
    writing anew takes long, so little that the next batch may use it.
    """
    made = layout.next_marts
    with attached(con, layout.marts) as catalog:
        ((blocks, free),) = con.execute(
            "select total_blocks, free_blocks from pragma_database_size() where database_name = ?",
            [catalog],
        ).fetchall()
        if free <= blocks * _LARGEST_FREE_SHARE:
            return
        con.execute(
            f"attach '{quoted(made)}' as made"
            f" (storage_version '{STORAGE_VERSION}', recovery_mode 'no_wal_writes')"
        )
        try:
            con.execute(f"copy from database {catalog} to made")
            con.execute("checkpoint made")  # a detach would not tell that it could not write
        except BaseException:
            con.execute("detach made")
            remove_database(made)
            raise
        con.execute("detach made")
    made.replace(layout.marts)
