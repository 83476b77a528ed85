"""The alerts that `analytics init` writes: each finds what its title says, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from analytics.resources import folder
from tests.queries.test_budgets import budget, charged, read_from
from tests.transform.given import WORKSPACE, Warehouse

ALERTS = folder("skeleton") / "queries" / "alerts"
NOVEMBER, OCTOBER, SEPTEMBER = (date(2026, month, 1) for month in (11, 10, 9))


def found(warehouse: Warehouse, alert: str, columns: str) -> list[tuple[object, ...]]:
    """These columns of the findings of an alert."""
    sql = (ALERTS / f"{alert}.sql").read_text(encoding="utf-8")
    warehouse.build()
    return warehouse.rows(f"with findings as ({sql}) select {columns} from findings")


def test_budgets_at_risk(warehouse: Warehouse) -> None:
    """Those of this month and the last one that are exceeded or at risk; without a file, none."""
    warehouse.given("agents", agent_id="a-1", agent_slug="baker")
    read_from(warehouse, date(2026, 9, 1))
    charged(warehouse, 2)
    columns = "scope, name, status, exhausted_on"
    without = found(warehouse, "budgets_at_risk", columns)
    for amount, name, month in ((30, "baker", NOVEMBER), (59, "a-1", NOVEMBER), (1, "x", NOVEMBER)):
        budget(warehouse, amount, scope="agent", name=name, month=month)
    budget(warehouse, 61)
    budget(warehouse, 10, month=OCTOBER)
    budget(warehouse, 10, month=SEPTEMBER)

    assert without == []
    assert found(warehouse, "budgets_at_risk", columns) == [
        ("all", "(all)", "exceeded", date(2026, 10, 6)),
        ("agent", "a-1", "at_risk", date(2026, 11, 30)),
        ("agent", "baker", "exceeded", date(2026, 11, 16)),
    ]


def test_days_that_cost_unusually_much(warehouse: Warehouse) -> None:
    """Unusual days among the last three complete ones are found; older ones were told before."""
    warehouse.given("agents", agent_id="a-1", agent_name="Baker")
    read_from(warehouse, date(2026, 10, 1))
    last = date(2026, 11, 19)
    for back in range(40):
        created = datetime(last.year, last.month, last.day, 12, tzinfo=UTC) - timedelta(days=back)
        warehouse.given(
            "runs", run_id=f"r-{back}", created_at=created, cost_usd=50 if back in (1, 4) else 2
        )

    assert found(
        warehouse, "days_that_cost_unusually_much", "workspace_id, agent_name, date, cost_usd"
    ) == [(WORKSPACE, "Baker", last - timedelta(days=1), 50)]


def test_agents_that_fail_often(warehouse: Warehouse) -> None:
    """Of the last three complete days, those on which more than a quarter of 20 runs failed."""
    warehouse.given("agents", agent_id="a-1", agent_name="Baker")
    read_from(warehouse, date(2026, 10, 1))
    for day, failed in ((16, 20), (17, 6), (18, 5), (19, 20)):
        for number in range(20):
            status = "failed" if number < failed else "succeeded"
            warehouse.given(
                "runs", run_id=f"r-{day}-{number}", agent_id="a-1", status=status,
                created_at=datetime(2026, 11, day, 12, tzinfo=UTC),
            )  # fmt: skip

    assert found(warehouse, "agents_that_fail_often", "agent_name, date, failed_count") == [
        ("Baker", date(2026, 11, 17), 6),
        ("Baker", date(2026, 11, 19), 20),
    ]
