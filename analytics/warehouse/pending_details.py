"""Ended runs whose costs or log events are still to be read.

Each of the two is pending from the load that ended the run or changed its cost, until a later load
contains it, or until the API has failed to return it for a week, from the first time that it was
asked for. The loads since the workspace's last complete batch show the new ones; older ones are in
`ledger.pending_details`, and those that contradict their run: one answer may have been wrong.
"""

from __future__ import annotations

import duckdb

from analytics.warehouse.landed import CLOSING_STEP
from analytics.warehouse.sources import TERMINAL_STATUSES

MOST_REPEATED = 1_000
"""Runs whose model costs are read once more by the next batch."""

SOURCES = "['run_costs', 'run_log_events']"
_VERSION = "version_id, load_id, run_id, created_at, status, cost_usd"

# Ordered by rowid, not by name: a folder that was restored late has an early name. The kept table
# may name millions of runs: it is read once, row by row, beside the few of this batch.
FOUND = f"""
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
    ended as (
        select run_id, max(created_at) as created_at, max(place) as place
        from changes join this_batch using (load_id)
        where status in {TERMINAL_STATUSES} and (
            status_before is null
            or status_before not in {TERMINAL_STATUSES}
            or cost_before is distinct from cost_usd
        )
        group by run_id
    ),
    due as (
        select run_id, unnest({SOURCES}) as source, created_at, place,
            null as kept_row, null as missing_before, false as is_replaced
        from ended
        union all
        select kept.run_id, source, kept.created_at, -1,
            kept.rowid, missing_since, ended.run_id is not null
        from ledger.pending_details as kept left join ended using (run_id)
        where workspace_id = $workspace_id
    ),
    asked as (
        select run_id, source,
            max(place) filter (where status = 200) as read_place,
            max(place) as asked_place,
            arg_max(fetched_at, place) as asked_at
        from ledger.requests join this_batch using (load_id)
        where workspace_id = $workspace_id and list_contains({SOURCES}, source)
        group by run_id, source
    )
    select run_id, source, created_at, kept_row, missing_before,
        coalesce(missing_before, case when asked_place > place then asked_at end) as missing_since,
        is_replaced
        or coalesce(read_place > place, false)
        -- Details missing a week after they were first asked for are given up.
        or coalesce(asked_place > place and missing_before < asked_at - interval 7 day, false)
            as is_settled
    from due left join asked using (run_id, source)
"""


def keep_pending_details(con: duckdb.DuckDBPyConnection, workspace_id: str) -> None:
    """Store the pending details at the end of a batch, for the next one."""
    ids = {"workspace_id": workspace_id}
    con.execute(
        f"""
        create or replace temp table found_details as
        from ({FOUND})
        where kept_row is null or is_settled or missing_since is distinct from missing_before
        """,
        ids,
    )
    con.execute(
        "delete from ledger.pending_details where rowid in (select kept_row from found_details)"
    )
    con.execute(
        """
        insert into ledger.pending_details
        select $workspace_id, run_id, source, created_at, missing_since from found_details
        where not is_settled
        """,
        ids,
    )


def repeat_contradicting_costs(con: duckdb.DuckDBPyConnection) -> None:
    """Let the next batch read the model costs of runs that contradict them, of the newest first."""
    con.execute(f"""
        insert into ledger.pending_details
        select workspace_id, run_id, 'run_costs', runs.created_at, null
        from intermediate.int_runs as runs
        semi join (from intermediate.int_run_comparisons where differs)
            using (workspace_id, run_id)
        anti join (from ledger.pending_details where source = 'run_costs')
            using (workspace_id, run_id)
        order by runs.created_at desc, run_id
        limit {MOST_REPEATED}
    """)
