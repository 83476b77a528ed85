"""A small mart of a test's own, made without the extra `fleet`."""

from __future__ import annotations

from decimal import Decimal

import duckdb

NAME = "fct_costs"
COSTS = f"from marts.{NAME}"


def costs(con: duckdb.DuckDBPyConnection, amount: int | str, workspace_count: int = 3) -> None:
    """Make a small mart anew: each workspace costs an amount on each day of three months."""
    con.execute("create schema if not exists marts")
    con.execute(
        """create or replace table marts.fct_costs as
        select 'w-' || w as workspace_id, date '2026-09-01' + d::int as date,
            ?::decimal(38, 10) as cost_usd
        from range(?) as a(w), range(91) as b(d)""",
        [Decimal(amount), workspace_count],
    )
