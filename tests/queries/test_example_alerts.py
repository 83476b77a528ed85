"""The alerts that `analytics init` writes: each finds what its title says, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from analytics.resources import folder
from tests.queries.metered import read_from
from tests.transform.given import WORKSPACE, Warehouse

ALERTS = folder("skeleton") / "queries" / "alerts"


def found(warehouse: Warehouse, alert: str, columns: str) -> list[tuple[object, ...]]:
    """These columns of the findings of an alert."""
    sql = (ALERTS / f"{alert}.sql").read_text(encoding="utf-8")
    warehouse.build()
    return warehouse.rows(f"with findings as ({sql}) select {columns} from findings")


def test_budgets_at_risk(warehouse: Warehouse) -> None:
    """Those of this month and the last one that are exceeded or at risk; without a file, none."""
    warehouse.given("agents", agent_id="a-1", agent_slug="baker")
    read_from(warehouse, date(2026, 9, 1))
    for back in range(1, 81):
        day = date(2026, 11, 20) - timedelta(days=back)
        warehouse.given("agent_billing_days", date=day, cost_usd=2, billed_usd=2)
    columns = "scope, name, status, exhausted_on"
    without = found(warehouse, "budgets_at_risk", columns)
    for line, (amount, scope, name, month) in enumerate(
        (
            (30, "agent", "baker", 11), (59, "agent", "a-1", 11), (1, "agent", "x", 11),
            (61, "all", "(all)", 11), (10, "all", "(all)", 10), (10, "all", "(all)", 9),
        )
    ):  # fmt: skip
        warehouse.insert(
            "finance.budgets", line=line, scope=scope, name=name, month=date(2026, month, 1),
            amount_usd=amount,
        )  # fmt: skip

    assert without == []
    assert found(warehouse, "budgets_at_risk", columns) == [
        ("all", "(all)", "exceeded", date(2026, 10, 6)),
        ("agent", "a-1", "at_risk", date(2026, 11, 30)),
        ("agent", "baker", "exceeded", date(2026, 11, 16)),
    ]


def test_days_that_cost_unusually_much(warehouse: Warehouse) -> None:
    """Unusual days among the last three complete ones are found; older ones were told before."""
    read_from(warehouse, date(2026, 10, 1))
    last = datetime(2026, 11, 19, 12, tzinfo=UTC)
    for back in range(40):
        created, cost = last - timedelta(days=back), 50 if back in (1, 4) else 2
        warehouse.given("runs", run_id=f"r-{back}", created_at=created, cost_usd=cost)

    assert found(
        warehouse, "days_that_cost_unusually_much", "workspace_id, agent_name, date, cost_usd"
    ) == [(WORKSPACE, "a-1", date(2026, 11, 18), 50)]


def test_agents_that_fail_often(warehouse: Warehouse) -> None:
    """Of the last three complete days, those on which more than a quarter of 20 runs failed."""
    read_from(warehouse, date(2026, 10, 1))
    for day, failed in ((16, 20), (17, 6), (18, 5), (19, 20)):
        for number in range(20):
            status = "failed" if number < failed else "succeeded"
            warehouse.given(
                "runs", run_id=f"r-{day}-{number}", status=status,
                created_at=datetime(2026, 11, day, 12, tzinfo=UTC),
            )  # fmt: skip

    assert found(warehouse, "agents_that_fail_often", "agent_name, date, failed_count") == [
        ("a-1", date(2026, 11, 17), 6),
        ("a-1", date(2026, 11, 19), 20),
    ]
