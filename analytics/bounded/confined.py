"""Connections that read one file with marts, and that DuckDB itself confines to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from analytics.warehouse.database import (
    OFFLINE,
    PUBLISHED_SCHEMAS,
    STORAGE_VERSION,
    attach_read_only,
    quoted,
)
from analytics.warehouse.memory import connection_limits

CUSTOM = "custom"
"""The schema of the user's own tables."""

RESULT = "result"
"""The table that is made in a `target` that is a database."""


@contextmanager
def open_confined(
    file: Path,
    *,
    memory: str = "",
    temporary: str = "",
    own: str = "",
    target: str = "",
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file with marts read-only, without access to other files, extensions or settings.

    All published schemas are on the search path, and `custom`: that of the file, or that of the
    file `own`, which is read-only too. Only `target`, a new file, can be written: by COPY, or as
    the database `target` if its name ends so. `temporary` is a folder for what does not fit in
    `memory`, by default that of a batch; without one, nothing is spilled.
    """
    config = OFFLINE | connection_limits(memory) | {"temp_directory": temporary}
    config["show_behavior"] = "table"  # else SHOW also shows settings
    if memory:
        config["max_temp_directory_size"] = memory
    with duckdb.connect(config=config) as con:
        con.execute("set TimeZone = 'UTC'")
        attach_read_only(con, file, "analytics")
        if own:
            con.execute(f"attach '{quoted(own)}' as own (read_only)")
        if target.endswith(".duckdb"):
            # What the build file cannot hold is an error here already.
            con.execute(
                f"attach '{quoted(target)}' as target (storage_version '{STORAGE_VERSION}')"
            )
        elif target:
            con.execute(f"set allowed_paths = ['{quoted(target)}']")
        path = [f"analytics.{schema}" for schema in PUBLISHED_SCHEMAS]
        path.append(f"{'own' if own else 'analytics'}.{CUSTOM}")
        there = con.execute(
            "select concat_ws('.', database_name, schema_name) from duckdb_schemas()"
        ).fetchall()
        con.execute(f"set search_path = '{','.join(each for each in path if (each,) in there)}'")
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
        yield con
