"""Runs that may still change: those that the next batch reads again, and when each became one.

The set itself has no history, so each load records which runs it adds and removes. The set as it
was after an earlier load is the sum of these changes.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from analytics.warehouse.sources import TERMINAL_STATUSES

_STATES = """
    create or replace temp table run_states as
    select
        *,
        terminal_seen_at is not null
            and read_at >= coalesce(finished_at, terminal_seen_at) + to_hours($settle_hours)
            as is_final
    from (
        select
            i.run_id, i.created_at, i.finished_at, i.seen_at as read_at,
            case when i.status in {terminal}
                then coalesce(u.terminal_seen_at, i.seen_at) end as terminal_seen_at,
            u.run_id is not null as is_waiting
        from incoming as i
        left join ledger.provisional_runs as u
            on u.workspace_id = $workspace_id and u.run_id = i.run_id
        where u.run_id is not null
            or i.status not in {terminal}
            or i.line in (select line from {new_rows})
    )
    where is_waiting or not is_final
"""

# A single 404 may be a passing error: a run is gone after a second one.
_GONE = """
    create or replace temp table gone_runs as
    from ledger.provisional_runs
    semi join (
        select run_id from ledger.requests
        semi join (
            select run_id from load_requests where source = 'runs' and status = 404
        ) using (run_id)
        where workspace_id = $workspace_id and source = 'runs' and status = 404
        group by run_id having count(distinct load_id) > 1
    ) using (run_id)
    anti join run_states using (run_id)
    where workspace_id = $workspace_id
"""

# A version stands for its run, because a number takes less room than an identifier.
_CHANGES = """
    insert into ledger.provisional_changes
    select $workspace_id, $load_id, max(version_id), any_value(not is_waiting)
    from run_states
    join (
        select run_id, version_id from current_rows
        union all
        select run_id, version_id from raw.runs
        where workspace_id = $workspace_id and load_id = $load_id
    ) using (run_id)
    where is_waiting = is_final
    group by run_id
"""
_CHANGES_OF_GONE = """
    insert into ledger.provisional_changes
    select $workspace_id, $load_id, max(version_id), false
    from raw.runs semi join gone_runs using (run_id)
    where workspace_id = $workspace_id
    group by run_id
"""

PROVISIONAL = """
    select workspace_id, run_id
    from ledger.provisional_changes as changes
    join raw.runs as versions using (workspace_id, version_id)
    group by workspace_id, run_id
    having sum(if(changes.is_provisional, 1, -1)) > 0
"""
"""SELECT of the runs that are provisional after the changes that it sees: workspace and run."""


def update_provisional_runs(
    con: duckdb.DuckDBPyConnection, ids: Mapping[str, str], new_rows: str, *, settle_hours: int
) -> None:
    """Update the set by the runs of a load that was stored, and record what changes.

    `ids` are workspace_id and load_id; `new_rows` is a FROM item, the lines of new versions. It
    reads the temporary tables `incoming`, `current_rows` and `load_requests` of the load. Only new
    versions, open and provisional runs are checked: a final run that ended stays so if unchanged.
    """
    mine = {"workspace_id": ids["workspace_id"]}
    states = _STATES.format(terminal=TERMINAL_STATUSES, new_rows=new_rows)
    con.execute(states, mine | {"settle_hours": settle_hours})
    con.execute(_GONE, mine)
    con.execute(_CHANGES, dict(ids))
    if con.execute("select 1 from gone_runs limit 1").fetchall():
        con.execute(_CHANGES_OF_GONE, mine | {"load_id": ids["load_id"]})
    con.execute(
        """
        delete from ledger.provisional_runs where workspace_id = $workspace_id and run_id in (
            select run_id from run_states where is_waiting union all select run_id from gone_runs
        )
        """,
        mine,
    )
    con.execute(
        """
        insert into ledger.provisional_runs
        select $workspace_id, run_id, created_at, terminal_seen_at, read_at from run_states
        where not is_final
        """,
        mine,
    )
