"""Ended runs whose costs or log events are still to be read.

Each of the two is pending from the load that ended the run or changed its cost, until a later load
contains it. The loads since the workspace's last complete batch show the new ones; older ones are
in `ledger.pending_details`.
"""

from __future__ import annotations

import duckdb

from analytics.extract.details import SAMPLE
from analytics.extract.landing import CLOSING_STEP
from analytics.warehouse.sources import TERMINAL_STATUSES

_SOURCES = "['run_costs', 'run_log_events']"
_VERSION = "version_id, load_id, run_id, created_at, status, cost_usd"

# Ordered by rowid, not by name: a folder that was restored late has an early name.
_DUE = f"""
    with this_batch as (
        select load_id, rowid as place from ledger.loads
        where workspace_id = $workspace_id and rowid > coalesce((
            select max(rowid) from ledger.loads
            where workspace_id = $workspace_id and step = '{CLOSING_STEP}'
        ), -1)
    ),
    replaced as (
        from raw.superseded semi join this_batch using (load_id) where workspace_id = $workspace_id
    ),
    versions as (
        select {_VERSION} from raw.runs semi join this_batch using (load_id)
        where workspace_id = $workspace_id
        union
        select {_VERSION} from raw.runs semi join replaced using (version_id)
    ),
    changes as (
        select
            run_id, created_at, load_id, status, cost_usd,
            lag(status) over so_far as status_before,
            lag(cost_usd) over so_far as cost_before
        from versions
        window so_far as (partition by run_id order by version_id)
    ),
    due as (
        select run_id, source, max(created_at) as created_at, max(place) as place
        from (
            select run_id, unnest({_SOURCES}) as source, created_at, place
            from changes join this_batch using (load_id)
            where status in {TERMINAL_STATUSES} and (
                status_before is null
                or status_before not in {TERMINAL_STATUSES}
                or cost_before is distinct from cost_usd
            )
            union all
            select run_id, source, created_at, -1 from ledger.pending_details
            where workspace_id = $workspace_id
        )
        group by run_id, source
    ),
    requests as (
        select run_id, source, place, fetched_at, status
        from ledger.requests join this_batch using (load_id)
        where workspace_id = $workspace_id and list_contains({_SOURCES}, source)
    ),
    asked as (
        select run_id, source, place, max(fetched_at) as asked_at,
            bool_and(coalesce(status = 200, false)) as is_read
        from requests
        group by run_id, source, place
    ),
    refused as (
        select source, max(fetched_at) as asked_at
        from requests
        group by source
        having count(*) >= {SAMPLE} and bool_and(coalesce(status in (403, 404), false))
    )
    select run_id, source, created_at from due
    where not exists (
        select 1 from asked
        where asked.run_id = due.run_id and asked.source = due.source and asked.place > due.place
            -- Details missing a week after the run began are given up.
            and (is_read or due.created_at < asked_at - interval 7 day)
    )
    and not exists (
        select 1 from refused
        where refused.source = due.source and due.created_at < asked_at - interval 7 day
    )
"""


def pending_details(con: duckdb.DuckDBPyConnection, workspace_id: str) -> dict[str, list[str]]:
    """Return the pending sources of each run that has any, newest first.

    Runs whose details the API failed to return before come last, so that they delay no other run.
    """
    rows = con.execute(
        f"""
        select run_id, list(source order by source) from ({_DUE})
        group by run_id
        order by
            run_id in (
                select run_id from ledger.requests where workspace_id = $workspace_id
                    and list_contains({_SOURCES}, source) and status is distinct from 200
            ),
            max(created_at) desc,
            run_id
        """,
        {"workspace_id": workspace_id},
    ).fetchall()
    return dict(rows)


def keep_pending_details(con: duckdb.DuckDBPyConnection, workspace_id: str) -> None:
    """Store the pending runs at the end of a batch, for the next one."""
    ids = {"workspace_id": workspace_id}
    con.execute(f"create or replace temp table still_pending as {_DUE}", ids)
    con.execute(
        """
        delete from ledger.pending_details where workspace_id = $workspace_id
            and (run_id, source) not in (select run_id, source from still_pending)
        """,
        ids,
    )
    con.execute(
        """
        insert into ledger.pending_details
        select $workspace_id, run_id, source, created_at from still_pending
        where (run_id, source) not in (
            select run_id, source from ledger.pending_details where workspace_id = $workspace_id
        )
        """,
        ids,
    )
