"""Runs that may still change: those that the next batch reads again."""

from __future__ import annotations

from analytics.warehouse.sources import OPEN, TERMINAL, TERMINAL_STATUSES
from analytics.warehouse.store import Store

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


def update_provisional_runs(store: Store, new_rows: str) -> None:
    """Update the set by the runs of a load that was stored.

    `new_rows` is a FROM item, the lines of new versions. It reads the temporary tables `incoming`
    and `load_requests` of the load. Only new versions, open and provisional runs are checked: a
    final run that ended stays so if unchanged.
    """
    states = _STATES.format(terminal=TERMINAL_STATUSES, new_rows=new_rows)
    store.run(states, settle_hours=SETTLE_HOURS)
    store.run(_GONE)
    store.run("""
        delete from ledger.provisional_runs where {mine} and run_id in (
            select run_id from run_states where is_waiting union all select run_id from gone_runs
        )
    """)
    store.run("""
        insert into ledger.provisional_runs
        select $workspace_id, run_id, created_at, terminal_seen_at, read_at from run_states
        where not is_final
    """)


def provisional_runs(store: Store) -> list[str]:
    """Return runs that are open, or ended too recently to be final."""
    return store.column("select run_id from ledger.provisional_runs where {mine} order by 1")


def given_up_runs(store: Store) -> dict[str, str]:
    """Return open runs that this batch found to be gone, with the last status of each."""
    gone = store.run(
        f"""
        select run_id, status
        from raw.runs anti join raw.superseded using (version_id)
        where {{mine}} and status not in {TERMINAL_STATUSES} and run_id in (
            select run_id from ledger.requests
            where {{mine}} and load_id > $closed and source = 'runs' and status = 404
        ) and run_id not in (select run_id from ledger.provisional_runs where {{mine}})
        order by run_id
        """,
        closed=store.last_complete,
    )
    return dict(gone)


def unknown_statuses(store: Store) -> dict[str, int]:
    """Return the number of runs by status, for each status that is unknown to this release."""
    unknown = store.run(
        """
        select status, count(*)
        from raw.runs anti join raw.superseded using (version_id)
        where {mine} and not list_contains($known, status)
            and run_id in (select run_id from ledger.provisional_runs where {mine})
        group by status order by status
        """,
        known=[*OPEN, *TERMINAL],
    )
    return dict(unknown)
