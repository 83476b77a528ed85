"""Recovery of a warehouse that is older than what was published of it."""

from __future__ import annotations

import duckdb

from analytics.errors import AnalyticsError
from analytics.warehouse.damage import damaged
from analytics.warehouse.layout import Layout
from analytics.warehouse.publications import last_loads, moments_on_record


def recover_publication(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Record the last publication, if a batch was killed before it did so, or its log was lost.

    DamagedError if the warehouse has lost loads of it too: DuckDB passes over a log whose head
    is damaged. Only a rebuild has them. Loads that the landing folder has lost as well are not
    among them.
    """
    for moment in moments_on_record(layout)[-1:]:
        try:
            loads = last_loads(layout, moment)
        except AnalyticsError:  # raised to whoever needs it
            return
        last = [[*loads], [*loads.values()]]
        lost = con.execute(
            """
            from (select unnest(?) as workspace_id, unnest(?) as load_id)
            anti join ledger.loads using (workspace_id, load_id)
            """,
            last,
        ).fetchall()
        if any(layout.landing.joinpath(*load).is_dir() for load in lost):
            raise damaged(layout.warehouse, f"it lacks what was published at {moment:%F %T} UTC")
        con.execute(
            """
            update ledger.loads set published_at = ?
            from (select unnest(?) as workspace_id, unnest(?) as load_id) as last_loads
            where loads.workspace_id = last_loads.workspace_id
                and loads.load_id <= last_loads.load_id and loads.published_at is null
            """,
            [moment, *last],
        )
