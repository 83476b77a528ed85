"""The alerts that `analytics init` writes: each finds what its title says, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

from analytics.resources import folder
from tests.transform.given import Warehouse

ALERTS = folder("skeleton") / "queries" / "alerts"
BATCH = {"last_batch_at": "2026-11-20 05:00Z", "last_complete_date": "2026-11-19"}


def found(
    warehouse: Warehouse, alert: str, columns: str, mart: str, *rows: dict[str, Any]
) -> list[tuple[object, ...]]:
    """These columns of the findings of an alert, where a mart has these rows."""
    sql = (ALERTS / f"{alert}.sql").read_text(encoding="utf-8")
    warehouse.build()
    assert warehouse.rows(sql) == []
    warehouse.insert("marts.dim_workspaces", workspace_id="w-9", workspace_name="Cafe", **BATCH)
    for row in rows:
        warehouse.insert(f"marts.{mart}", **({"workspace_id": "w-9"} | row))
    return warehouse._con.execute(
        f"with findings as ({sql}) select {columns} from findings order by all"
    ).fetchall()


def test_budgets_at_risk(warehouse: Warehouse) -> None:
    """Those of this month and the last one that are exceeded or at risk."""
    assert found(
        warehouse, "budgets_at_risk", "month::varchar, status", "fct_budgets",
        *(
            {"month": date(2026, month, 1), "status": status}
            for month in (9, 10, 11)
            for status in ("exceeded", "at_risk", "on_track", "within", "unknown_name")
        ),
    ) == [
        ("2026-10-01", "at_risk"), ("2026-10-01", "exceeded"),
        ("2026-11-01", "at_risk"), ("2026-11-01", "exceeded"),
    ]  # fmt: skip


def test_days_that_cost_unusually_much(warehouse: Warehouse) -> None:
    """Unusual days among the last three complete ones are found; older ones were told before."""
    assert found(
        warehouse, "days_that_cost_unusually_much", "date", "fct_unusual_days",
        *({"date": date(2026, 11, day)} for day in (16, 17, 19, 20)),
    ) == [(date(2026, 11, 17),), (date(2026, 11, 19),)]  # fmt: skip


def test_agents_that_fail_often(warehouse: Warehouse) -> None:
    """Of the last three complete days, those on which more than a quarter of 20 runs failed."""
    assert found(
        warehouse, "agents_that_fail_often", "date, run_count", "fct_agent_days",
        *(
            {"date": date(2026, 11, day), "run_count": count, "failure_rate": rate}
            for day, count, rate in ((16, 20, 1), (17, 20, 0.3), (18, 21, 0.25), (19, 19, 1))
        ),
    ) == [(date(2026, 11, 17), 20)]  # fmt: skip
