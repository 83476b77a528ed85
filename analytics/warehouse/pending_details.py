"""Details still to be read: costs and log events of ended runs, versions and schedules of agents.

Each of a run's two is pending from the load that ended the run or changed its cost, until a later
load contains it, or until the API has failed to return it for a week, from the first time that it
was asked for. The loads since the workspace's last complete batch show the new ones; older ones are
in `ledger.pending_details`, and those that contradict their run: one answer may have been wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from analytics.warehouse.landed import LAST_STEP
from analytics.warehouse.sources import TERMINAL_STATUSES
from analytics.warehouse.store import AGENTS_HEARD_OF, IS_GONE, Store

MOST_REPEATED = 1_000
"""Runs whose model costs are read once more by the next batch."""

_SOURCES = "['run_costs', 'run_log_events']"
_VERSION = "version_id, load_id, run_id, created_at, status, cost_usd"

# Ordered by rowid, not by name: a folder that was restored late has an early name. The kept table
# may name millions of runs: it is read once, row by row, beside the few of this batch.
_FOUND = f"""
    with this_batch as (
        select load_id, rowid as place from ledger.loads
        where workspace_id = $workspace_id and rowid > coalesce((
            select max(rowid) from ledger.loads
            where workspace_id = $workspace_id and step = '{LAST_STEP}'
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
        select run_id, unnest({_SOURCES}) as source, created_at, place,
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
        where workspace_id = $workspace_id and list_contains({_SOURCES}, source)
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

_IS_ANSWERED = f"coalesce(status = 200 or status = 404 and {IS_GONE}, false)"


def collect_pending_details(store: Store) -> int:
    """Collect the details of ended runs to read, of the newest first; return their number.

    Runs whose details the API failed to return before come last, so that they delay no other.
    """
    count: int = store.one(f"""
        create or replace temp table collected_details as
        with failed as (
            select distinct run_id from ledger.requests
            where {{mine}} and list_contains({_SOURCES}, source) and status is distinct from 200
        ),
        found as (
            select run_id, source, created_at, failed.run_id is not null as failed_before
            from ({_FOUND}) as found left join failed using (run_id)
            where not is_settled
        )
        select row_number() over () - 1 as place, run_id, source
        from (from found order by failed_before, created_at desc, run_id, source)
    """)
    return count


def collected_details(store: Store, places: Sequence[int]) -> list[tuple[str, str]]:
    """Return the run and the source of the collected details at these places."""
    return store.con.execute(
        "select run_id, source from collected_details"
        " where place in (select unnest(?)) order by place",
        [list(places)],
    ).fetchall()


def keep_pending_details(store: Store) -> None:
    """Store the pending details at the end of a batch, for the next one."""
    store.run(f"""
        create or replace temp table found_details as
        from ({_FOUND})
        where kept_row is null or is_settled or missing_since is distinct from missing_before
    """)
    store.con.execute(
        "delete from ledger.pending_details where rowid in (select kept_row from found_details)"
    )
    store.run("""
        insert into ledger.pending_details
        select $workspace_id, run_id, source, created_at, missing_since from found_details
        where not is_settled
    """)


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


def agents_with_unread_versions(store: Store) -> list[str]:
    """Agents whose versions are to be read, those that the API failed to give before last.

    The API was not asked for them since the agent was first heard of, its record changed, or a
    run of this batch named a version that is not stored; or it failed to answer. A 404 is an
    answer where the agent is no longer in the list.
    """
    return store.column(
        f"""
        with asked as (
            select agent_id, load_id, {_IS_ANSWERED} as is_answered
            from ledger.requests where {{mine}} and source = 'agent_versions'
        ),
        runs as (
            select agent_id, agent_version, load_id from raw.runs
            where {{mine}} and load_id > $closed
                and agent_id is not null and agent_version is not null
        ),
        stored as (
            select agent_id, agent_version from raw.agent_versions where {{mine}}
        ),
        due as (
            select agent_id, '' as load_id from ({AGENTS_HEARD_OF})
            union all
            select agent_id, load_id from raw.agents where {{mine}}
            union all
            select agent_id, load_id from runs anti join stored using (agent_id, agent_version)
            union all
            select agent_id, load_id from asked where not is_answered
        )
        select agent_id
        from (select agent_id, max(load_id) as load_id from due group by agent_id) as latest
        where not exists (
            select 1 from asked
            where is_answered and asked.agent_id = latest.agent_id
                and asked.load_id > latest.load_id
        )
        order by agent_id in (select agent_id from asked where not is_answered), agent_id
        """,
        closed=store.last_complete,
    )


def agents_with_unread_schedules(store: Store) -> list[str]:
    """Agents that have runs since schedules were last read, or whose own were not answered.

    A 404 is an answer where the agent is no longer in the list.
    """
    return store.column(f"""
        with asked as (
            select agent_id, load_id, {_IS_ANSWERED} as is_answered
            from ledger.requests where {{mine}} and source = 'schedules'
        )
        select agent_id from raw.runs
        where {{mine}} and agent_id is not null
            and load_id > (select coalesce(max(load_id), '') from asked)
        union
        select agent_id from asked
        group by agent_id having not arg_max(is_answered, load_id)
        order by agent_id
    """)
