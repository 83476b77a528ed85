"""Which ended runs' costs and log events are still to be read.

A run is due from the load that ended it or changed its cost, until a later load holds its details.
What became due since the workspace's last night closed is told by the loads since: only what a
night leaves unread is written down, in `ledger.details_due`.
"""

from __future__ import annotations

import duckdb

from analytics.extract.landing import CLOSING_STEP
from analytics.warehouse.sources import TERMINAL_STATUSES

_DUE = f"""
    with before as (
        select v.run_id, v.status, v.cost_usd
        from raw.runs as v join raw.superseded as gone using (version_id)
        where v.workspace_id = $workspace_id
            and v.load_id <= $closing_load and gone.load_id > $closing_load
    ),
    changed as (
        select now.run_id, now.created_at, now.load_id
        from raw.runs as now
        anti join raw.superseded using (version_id)
        left join before using (run_id)
        where now.workspace_id = $workspace_id and now.load_id > $closing_load
            and now.status in {TERMINAL_STATUSES}
            and (
                before.run_id is null
                or before.status not in {TERMINAL_STATUSES}
                or before.cost_usd is distinct from now.cost_usd
            )
    ),
    due as (
        select run_id, max(created_at) as created_at, max(load_id) as load_id
        from (
            from changed
            union all
            select run_id, created_at, '' from ledger.details_due
            where workspace_id = $workspace_id
        )
        group by run_id
    ),
    asked as (
        select run_id, load_id, max(fetched_at) filter (source = 'run_costs') as asked_at,
            count(distinct source) = 2 and bool_and(status = 200) as is_read
        from ledger.requests
        where workspace_id = $workspace_id and load_id > $closing_load
            and source in ('run_costs', 'run_log_events')
        group by run_id, load_id
    )
    select run_id, created_at from due where not exists (
        select 1 from asked
        where asked.run_id = due.run_id and asked.load_id > due.load_id
            -- What is still missing a week after the run began will not come any more.
            and (is_read or due.created_at < asked_at - interval 7 day)
    )
"""


def details_due(con: duckdb.DuckDBPyConnection, workspace_id: str) -> list[str]:
    """The ids of the runs that are due, the newest first."""
    rows = con.execute(
        f"select run_id from ({_DUE}) order by created_at desc, run_id",
        _parameters(con, workspace_id),
    ).fetchall()
    return [run_id for (run_id,) in rows]


def keep_details_due(con: duckdb.DuckDBPyConnection, workspace_id: str) -> None:
    """Write down what is due as a night closes, for the next one."""
    con.execute(f"create or replace temp table still_due as {_DUE}", _parameters(con, workspace_id))
    con.execute(
        """
        delete from ledger.details_due
        where workspace_id = ? and run_id not in (select run_id from still_due)
        """,
        [workspace_id],
    )
    con.execute(
        """
        insert into ledger.details_due select $workspace_id, run_id, created_at from still_due
        where run_id not in (
            select run_id from ledger.details_due where workspace_id = $workspace_id
        )
        """,
        {"workspace_id": workspace_id},
    )


def _parameters(con: duckdb.DuckDBPyConnection, workspace_id: str) -> dict[str, str]:
    ((closing_load,),) = con.execute(
        "select coalesce(max(load_id), '') from ledger.loads where workspace_id = ? and step = ?",
        [workspace_id, CLOSING_STEP],
    ).fetchall()
    return {"workspace_id": workspace_id, "closing_load": closing_load}
