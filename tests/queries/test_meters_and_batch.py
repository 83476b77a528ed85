"""The marts of usage, bills and platform activity, and those about the batch itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.transform.given import SEEN, WORKSPACE, Warehouse


def test_usage_hours(warehouse: Warehouse) -> None:
    """Hours keep platform usage (no agent) apart, and unknown amounts unknown."""
    warehouse.given("usage_hours", agent_id="a-1", model="m", cost_usd="0.1", error_count=1)
    warehouse.given("usage_hours", agent_id="a-1", model="x/m", cost_usd="0.2", error_count=2)
    warehouse.given("usage_hours", agent_id=None, model="m", cost_usd=None)

    warehouse.build("Asia/Tokyo")

    assert warehouse.rows(
        "select hour::varchar, agent_id, model, metered_cost_usd, error_count"
        " from marts.fct_usage_hours"
        " order by agent_id"
    ) == [
        ("2026-11-19 12:00:00+00", "(platform)", "m", None, None),
        ("2026-11-19 12:00:00+00", "a-1", "m", Decimal("0.3"), 3),
    ]


def test_billing_days(warehouse: Warehouse) -> None:
    """Cost and bill stay two measures, on UTC days in any reporting time zone."""
    first = warehouse.given("billing_days", cost_usd="9", billed_usd="9")
    warehouse.replaced(first, "billing_days", cost_usd="0.5", billed_usd="0.2", request_count=3)
    warehouse.given("billing_days", provider=None, cost_usd="0.1", billed_usd=None)

    warehouse.build("Asia/Tokyo")

    assert warehouse.rows(
        "select utc_date, provider, metered_cost_usd, billed_usd, request_count"
        " from marts.fct_billing_days order by provider desc"
    ) == [
        (date(2026, 11, 19), "anthropic", Decimal("0.5"), Decimal("0.2"), 3),
        (date(2026, 11, 19), "(unknown)", Decimal("0.1"), None, None),
    ]


def test_platform_agents_have_a_line_of_their_own(warehouse: Warehouse) -> None:
    """Platform agents have their cost in the workspace's day, and no part in any count of runs."""
    warehouse.given("platform_rollups", run_count=2, cost_usd="0.1", billed_usd=0)

    warehouse.build()

    assert warehouse.rows(
        "select run_count, cost_usd, platform_cost_usd from marts.fct_workspace_days"
    ) == [(0, Decimal("0.1"), Decimal("0.1"))]


def test_loads(warehouse: Warehouse) -> None:
    """A load has its requests counted, and when the first and the last were answered."""
    later = SEEN + timedelta(minutes=5)
    for load in ("load-1", "load-2"):
        warehouse.insert("ledger.loads", workspace_id=WORKSPACE, load_id=load, record_count=3)
    for request, fetched_at in enumerate([later, SEEN]):
        warehouse.insert(
            "ledger.requests",
            workspace_id=WORKSPACE,
            load_id="load-1",
            request=request,
            fetched_at=fetched_at,
        )

    warehouse.build()

    assert warehouse.rows(
        "select load_id, request_count, first_fetched_at, last_fetched_at, record_count"
        " from audit.loads order by load_id"
    ) == [("load-1", 2, SEEN, later, 3), ("load-2", 0, None, None, 3)]


def test_quarantined_records(warehouse: Warehouse) -> None:
    """A record that was quarantined is named by its last place; its content is not published."""
    for load_id, line in (("load-1", 7), ("load-2", 8), ("load-2", 9)):
        warehouse.insert(
            "ledger.quarantine",
            workspace_id=WORKSPACE,
            load_id=load_id,
            source="runs",
            request=1,
            line=line,
            field="(record)",
            reason="status is missing",
            record='{"user_prompt": "secret"}',
        )

    warehouse.build()

    assert warehouse.rows("from audit.quarantined_records") == [
        (WORKSPACE, "load-2", "runs", 1, 9, "(record)", "status is missing")
    ]


def test_refused_endpoints(warehouse: Warehouse) -> None:
    """An endpoint is refused if the last load that asked for it has no other answer."""
    asked = (
        ("load-1", "usage_hours", 404), ("load-2", "usage_hours", 200),
        ("load-1", "billing_days", 200), ("load-2", "billing_days", 403),
        ("load-2", "run_costs", 404), ("load-2", "run_costs", 200),
        ("load-2", "runs", 404),
    )  # fmt: skip
    for request, (load_id, source, status) in enumerate(asked):
        warehouse.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id=load_id, request=request,
            source=source, status=status, fetched_at=SEEN,
        )  # fmt: skip
    warehouse.build()

    assert warehouse.rows("from intermediate.int_refused_endpoints") == [
        (WORKSPACE, "analytics/billing", 403, SEEN)
    ]


def test_cost_and_bill_are_never_mixed(warehouse: Warehouse) -> None:
    """Cost, bill and surcharge are three measures; an unknown bill leaves the third unknown."""
    warehouse.given("agent_billing_days", agent_id="a-1", cost_usd=3, billed_usd="0.06")
    warehouse.given("agent_billing_days", agent_id=None, cost_usd=1, billed_usd=None)
    warehouse.build()

    assert warehouse.rows(
        "select agent_id, metered_cost_usd, billed_usd, surcharge_usd"
        " from intermediate.int_agent_billing_days"
        " order by agent_id desc"
    ) == [("a-1", 3, Decimal("0.06"), Decimal("-2.94")), ("(platform)", 1, None, None)]


def test_a_revoked_provider_key(warehouse: Warehouse) -> None:
    """A key that the list shows no more is told as such, with when it was added."""
    added = datetime(2026, 11, 1, tzinfo=UTC)
    gone = warehouse.given("provider_keys", created_at=added)
    warehouse.insert("raw.superseded", version_id=gone, workspace_id=WORKSPACE, load_id="load-2")
    warehouse.given("provider_keys", key_id="k-2", provider="openai", created_at=SEEN)
    warehouse.build()

    assert warehouse.rows(
        "select key_id, provider, added_at, is_listed from marts.dim_provider_keys order by key_id"
    ) == [("k-1", "anthropic", added, False), ("k-2", "openai", SEEN, True)]
