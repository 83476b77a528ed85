"""Months that are closed in a test: frozen by the queries of a close, without its files."""

from __future__ import annotations

from datetime import UTC, date, datetime

from analytics.finance.books.frozen import selects
from tests.transform.given import Warehouse


def close(warehouse: Warehouse, *months: date, revision: int = 1) -> None:
    """Close months in their order, each with the figures as they are built by then."""
    for month in months:
        warehouse.build()
        frozen = {
            name: sql.replace("$month", f"'{month}'").replace("$revision", str(revision))
            for name, sql in selects().items()
        }
        tables = ", ".join(f"{name} as (\n{sql})" for name, sql in frozen.items())
        warehouse.rows(f"with {tables} select count(*) from {', '.join(frozen)}")  # one build
        for name, sql in frozen.items():
            warehouse._con.execute(f"insert into finance.closed_{name} by name {sql}")
        warehouse.insert(
            "finance.closings", month=month, revision=revision, status="closed",
            closed_at=datetime(2026, 12, 5, tzinfo=UTC), is_early=False,
        )  # fmt: skip
        warehouse._con.execute(
            "insert into finance.closing_loads"
            " select ?, ?, workspace_id, max(load_id) from ledger.loads group by workspace_id",
            [month, revision],
        )
        warehouse.build()
