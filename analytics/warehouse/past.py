"""The warehouse as it was when figures were published: views of the versions that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from analytics.extract.loads import BATCH_ID, CLOSING_STEP
from analytics.warehouse.damage import damage_errors
from analytics.warehouse.database import OFFLINE, open_errors, quoted, require_version
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import reading_lock
from analytics.warehouse.machine import connection_limits
from analytics.warehouse.provisional_runs import PROVISIONAL
from analytics.warehouse.schema import BOOKS, FINANCE

# All that a load wrote is seen, unless the load is later.
_LOADED = """
    create view {0}.{1} as
    from kept.{0}.{1} anti join main.later_loads using (workspace_id, load_id)
"""

_OTHERS = f"""
    -- What was published with these figures had not been published when they were made.
    create view ledger.loads as
    select * replace (
        if(published_at < timestamptz '{{moment}}', published_at, null) as published_at
    )
    from kept.ledger.loads anti join main.later_loads using (workspace_id, load_id);

    create view ledger.provisional_runs as {PROVISIONAL};

    create view ledger.workspaces as
    with batches as (
        select
            workspace_id,
            try_strptime(split_part(load_id, '-', 1), '{BATCH_ID}') at time zone 'UTC' as began_at
        from ledger.loads
        where step = '{CLOSING_STEP}'
    )
    select
        workspace_id,
        (
            select any_value(named.workspace_name)
            from raw.workspaces as named anti join raw.superseded using (version_id)
            where named.workspace_id = batches.workspace_id
        ) as workspace_name,
        min(began_at) as first_batch_at,
        max(began_at) as last_batch_at
    from batches
    group by workspace_id;
"""


@contextmanager
def open_kept(layout: Layout, temporary: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse read-only as catalog `kept`; the catalog `warehouse` is empty, in memory.

    `temporary` is a folder for what does not fit in memory. BusyError while a batch is at work;
    UsageError for a file of another release.
    """
    with (
        reading_lock(layout),
        damage_errors(layout.warehouse),
        duckdb.connect(
            config=OFFLINE | connection_limits() | {"temp_directory": str(temporary)}
        ) as con,
    ):
        con.execute("set TimeZone = 'UTC'")
        with open_errors(layout.warehouse):
            con.execute(f"attach '{quoted(layout.warehouse)}' as kept (read_only)")
        con.execute("use kept")
        require_version(con, layout)
        con.execute("attach ':memory:' as warehouse; use warehouse")
        yield con


def publication_moments(con: duckdb.DuckDBPyConnection) -> list[datetime]:
    """Return the moments at which loads of the opened warehouse were first published."""
    rows = con.execute(
        "select distinct published_at from kept.ledger.loads where published_at is not null"
    ).fetchall()
    return [moment for (moment,) in rows]


def look_back(
    con: duckdb.DuckDBPyConnection, moment: datetime, loads: Mapping[str, str] | None
) -> None:
    """Make views of the opened warehouse as it was when figures were published at `moment`.

    `loads` has the last load of each workspace in these figures, if that is on record: by it they
    are known where the machine's clock went back. The tables of schema `finance` are made empty.
    """
    con.execute("create schema raw; create schema ledger")
    if loads is None:
        con.execute(
            """
            create table main.later_loads as
            select workspace_id, load_id from kept.ledger.loads
            where published_at is null or published_at > ?
            """,
            [moment],
        )
    else:
        con.execute(
            """
            create table main.later_loads as
            select workspace_id, load_id
            from kept.ledger.loads
            left join (
                select unnest(?::varchar[]) as workspace_id, unnest(?::varchar[]) as last_load_id
            ) using (workspace_id)
            where last_load_id is null or load_id > last_load_id
            """,
            [[*loads], [*loads.values()]],
        )
    tables = con.execute(
        "select schema_name, table_name from duckdb_columns()"
        " where database_name = 'kept' and column_name = 'load_id'"
        " and schema_name in ('raw', 'ledger') and table_name <> 'loads'"
    ).fetchall()
    for table in tables:
        con.execute(_LOADED.format(*table))
    con.execute(_OTHERS.format(moment=moment.isoformat()))
    con.execute(FINANCE + BOOKS)
