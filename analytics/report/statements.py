"""Rows of relations that need no choice, read once for all pages of a scope."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import polars as pl

from analytics.report.months import KEYS
from analytics.warehouse.database import records

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    import duckdb

    from analytics.report.entities import Scope
    from analytics.report.months import Key
    from analytics.report.spec import Part


class Statements:
    """Reads the rows of parts for the pages of a scope, by entity."""

    def __init__(self, con: duckdb.DuckDBPyConnection, scope: Scope) -> None:
        self._con, self._keys = con, KEYS[scope]

    def rows(self, part: Part) -> dict[Key, list[dict[str, Any]]]:
        """Return the rows of each entity in the part's order, or of all if it knows no entity.

        Equal rows stand in the same order whenever the page is made.
        """
        order = ""
        if part.order:
            columns = self._con.sql(f"from {part.data}").columns
            rest = [name for name in KEYS["agent"] if name in columns]
            order = " order by " + ", ".join([*map(_direction, part.order.split(",")), *rest])
        where = part.where or "true"
        frame = pl.DataFrame(self._con.sql(f"from {part.data} where {where}{order}"))
        names = [name for name in self._keys if name in frame.columns]
        found: defaultdict[Key, list[dict[str, Any]]] = defaultdict(list)
        for row in frame.iter_rows(named=True):
            found[tuple(row[name] for name in names)].append(row)
        return found

    def of(self, relation: str) -> dict[Key, dict[str, Any]]:
        """Return the one row of each entity, by workspace, or by workspace and line or month.

        Of several months, a page that is of no month has the last one.
        """
        columns = self._con.sql(f"from {relation}").columns
        names = KEYS["month"] if "month" in self._keys else KEYS["agent"]
        keys = [name for name in names if name in columns]
        order = " order by month" if "month" in columns else ""
        rows = pl.DataFrame(self._con.sql(f"from {relation}{order}")).iter_rows(named=True)
        return {tuple(row[name] for name in keys): row for row in rows}

    def costs(self) -> dict[Key, dict[date, Decimal | None]]:
        """Return the cost of each day of the last 28."""
        found: defaultdict[Key, dict[date, Decimal | None]] = defaultdict(dict)
        keys = "".join(f"{name}, " for name in self._keys)
        rows = self._con.execute(f"""
            select {keys} date, sum(cost_usd)
            from rpt_days
            where date > (select max(yesterday) - 28 from rpt_headlines)
            group by all""")
        for *key, day, amount in rows.fetchall():
            found[tuple(key)][day] = amount
        return found

    def budgets(self) -> dict[Key, dict[str, Any]]:
        """Return the budget of this month of the site and of each workspace, with its forecast."""
        rows = records(
            self._con,
            """
            from rpt_budgets
            where
                is_now
                and (scope = 'all' and workspace_id = '(all)'
                    or scope = 'workspace' and workspace_id = budget_workspace_id)""",
        )
        return {(row["workspace_id"], "(all)"): row for row in rows}


def _direction(order: str) -> str:
    name = order.strip()
    return f"{name[1:]} desc nulls last" if name.startswith("-") else name
