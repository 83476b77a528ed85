"""Runs that may still change: those that the next batch reads again."""

from __future__ import annotations

import duckdb

from analytics.warehouse.sources import TERMINAL_STATUSES

SETTLE_HOURS = 48
"""Hours after its end until which a run is read again. Nothing says how late the API corrects one;
what it corrects later still is found by the sums of its days."""

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


def update_provisional_runs(
    con: duckdb.DuckDBPyConnection, workspace_id: str, new_rows: str
) -> None:
    """Update the set by the runs of a load that was stored.

    `new_rows` is a FROM item, the lines of new versions. It reads the temporary tables `incoming`
    and `load_requests` of the load. Only new versions, open and provisional runs are checked: a
    final run that ended stays so if unchanged.
    """
    mine = {"workspace_id": workspace_id}
    states = _STATES.format(terminal=TERMINAL_STATUSES, new_rows=new_rows)
    con.execute(states, mine | {"settle_hours": SETTLE_HOURS})
    con.execute(_GONE, mine)
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
