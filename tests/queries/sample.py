"""A small warehouse in which every mart has rows: two workspaces, hostile names, unknown costs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.transform.given import WORKSPACE, Warehouse

OTHER_WORKSPACE = "w-2"
BREAD, CAKE = '<b>Söhne & "Co"</b>', "=Cake()"
NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)


def fill(warehouse: Warehouse) -> None:
    """Put the sample into the raw tables and the ledger."""
    name = "<script>alert(1)</script>"
    warehouse.insert("ledger.workspaces", workspace_id=OTHER_WORKSPACE, workspace_name=name)
    warehouse.given("agents", agent_id="a-1", agent_name="🍞 =cmd()", agent_slug="baker")
    warehouse.given("agents", workspace_id=OTHER_WORKSPACE, agent_id="a-9", agent_name="Judge")
    warehouse.given("agent_versions", created_at=NOON, updated_at=NOON)
    _runs(warehouse)
    _history(warehouse)
    _details(warehouse)
    _meters(warehouse)
    _batch(warehouse)
    _controls(warehouse)
    _lineage(warehouse)
    _finance(warehouse)
    own(
        warehouse,
        {"agent": "baker", "owner": CAKE, "cost_center": "C-2", "valid_from": "2026-11-19"},
        {"agent": "baker", "owner": BREAD, "cost_center": "C-1", "account": "6200"},
        {"agent": "a-2", "cost_center": "C-1", "valid_to": "2026-11-17"},
    )
    warehouse.insert("finance.files", name="owners.csv", sha256="0f", problem_count=0)
    for month, scope, name in (
        (10, "workspace", OTHER_WORKSPACE), (11, "all", "(all)"), (12, "all", "(all)"),
    ):  # fmt: skip
        of = {"month": date(2026, month, 1), "amount_usd": 90}
        warehouse.insert("finance.budgets", line=month, scope=scope, name=name, **of)


def own(warehouse: Warehouse, *rules: dict[str, Any]) -> None:
    """Replace the rules of owners by these, the most specific first."""
    warehouse._con.execute("delete from finance.owner_rules")
    for precedence, rule in enumerate(rules, start=1):
        row = {"precedence": precedence, "line": precedence + 1, "workspace": "*", "agent": "*"}
        warehouse.insert("finance.owner_rules", **(row | rule))


def _finance(warehouse: Warehouse) -> None:
    """Accounts of all roles, a rule, and an invoice with a difference."""
    roles = ("expense", "accrued", "payable", "tax", "rounding", "provider_payable")
    for number, role in enumerate(roles):
        warehouse.insert("finance.accounts", role=role, account=f"{6200 + number}")
    warehouse.insert(
        "finance.outcomes", line=2, outcome_id="o-1", date=date(2026, 11, 19), count=2,
        workspace=WORKSPACE, agent="baker", outcome="=Bread()",
    )  # fmt: skip
    for model, price in (("m", 9), ("cheap", 0)):
        warehouse.insert(
            "finance.list_prices", line=2, source="own", model=model,
            valid_from=date(2026, 1, 1), input_usd_per_million_tokens=price,
            output_usd_per_million_tokens=price,
        )  # fmt: skip
    warehouse.given(
        "schedules", agent_id="a-1", cron_expr="0 12 * * *", timezone="UTC", last_run_id=None,
    )  # fmt: skip
    warehouse.insert(
        "finance.allocation_rules", rule=1, name="=Failed()", source="failed", method="fixed",
        workspace="*",
    )  # fmt: skip
    warehouse.insert("finance.allocation_shares", rule=1, cost_center="C-1", share=1)
    warehouse.insert(
        "finance.invoices", line=2, invoice_id="=1+1", workspace=WORKSPACE, month="2026-11-01",
        issued_on="2026-11-19", amount_usd="0.31", credit_usd="0.01", tax_usd="0.05",
    )  # fmt: skip


def _runs(warehouse: Warehouse) -> None:
    statuses = ["succeeded", "failed", "cancelled", "running", "succeeded", "succeeded"]
    for number in range(60):
        created = NOON - timedelta(hours=9 * number)
        status = statuses[number % 6]
        warehouse.given(
            "runs", run_id=f"r-{number}", status=status, session_id=f"s-{number // 2}",
            workspace_id=WORKSPACE if number % 4 else OTHER_WORKSPACE,
            agent_id=["a-1", "a-2", None][number % 3], agent_version=number // 20 + 1,
            parent_run_id=f"r-{number - 4}" if number % 8 in (4, 5) else None,
            error="TimeoutError: too slow" if status == "failed" else None,
            cost_usd=None if number % 7 == 3 else "0.0000000001" if number % 5 else 60 - number,
            tokens_in=1000 + number, tokens_out=None if number % 7 == 3 else number,
            created_at=created, started_at=created + timedelta(seconds=2),
            finished_at=None if status == "running" else created + timedelta(seconds=30),
        )  # fmt: skip
    warehouse.execute("""
        insert into ledger.provisional_runs (workspace_id, run_id)
        select workspace_id, run_id from raw.runs where status = 'running'
    """)
    warehouse.given(
        "runs", run_id="r-local", cost_usd=0, tokens_in=0, tokens_out=0, created_at=NOON
    )


def _history(warehouse: Warehouse) -> None:
    """Three months whose every date was read, with a day that costs far more than the others."""
    of = {"workspace_id": OTHER_WORKSPACE, "agent_id": "a-9"}
    warehouse.insert(
        "ledger.requests", workspace_id=OTHER_WORKSPACE, load_id="load-1", request=2,
        source="usage_hours", status=200, window_start="2026-08-31", window_end="2026-11-20",
    )  # fmt: skip
    days = [(10, day, 9 if day == 29 else 2) for day in range(1, 31)]
    for month, day, cost in (*days, (11, 8, 1), (11, 16, 3)):
        created = datetime(2026, month, day, 12, tzinfo=UTC)
        run_id = f"r-{created:%B}-{day}".lower()
        warehouse.given("runs", run_id=run_id, cost_usd=cost, created_at=created, **of)
    warehouse.given("agent_billing_days", date="2026-10-05", cost_usd=2, billed_usd=2, **of)


def _details(warehouse: Warehouse) -> None:
    warehouse.given("run_costs", cost_usd="0.0000000001", tokens_in=1, tokens_out=2)
    warehouse.given("run_log_events", seq=1, event_kind="tool_use", tool_name="bash")
    warehouse.given(
        "run_log_events", seq=2, event_kind="tool_result", is_error=True, duration_ms=1500
    )


def _meters(warehouse: Warehouse) -> None:
    usage = {"tokens_in": 1000, "tokens_out": 10, "request_count": 3}
    for day in (18, 19):
        date = f"2026-11-{day}"
        warehouse.given(
            "usage_hours", hour=f"{date} 09:00Z", date=date, agent_id="a-1", model="m",
            provider="bedrock", cost_usd="0.3", error_count=1, **usage,
        )  # fmt: skip
        warehouse.given(
            "usage_hours", hour=f"{date} 10:00Z", date=date, model="cheap", provider="bedrock",
            cost_usd="0.05", **usage,
        )  # fmt: skip
        warehouse.given("billing_days", date=date, cost_usd="0.5", billed_usd="0.2", **usage)
        warehouse.given("agent_rollups", date=date, agent_id="a-2", agent_name="Old hand")
        warehouse.given(
            "platform_rollups", date=date, run_count=2, cost_usd="0.1", billed_usd=0, tokens_in=5
        )


def _controls(warehouse: Warehouse) -> None:
    """A counted day with more runs than are held, and a run that changed after two batches."""
    last_batch_at = datetime(2026, 11, 21, 5, tzinfo=UTC)
    warehouse.con.execute("update ledger.workspaces set last_batch_at = ?", [last_batch_at])
    batch = warehouse.run_batch("20261120T050000Z")
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id=batch, request=9,
        source="run_log_events", status=403,
    )  # fmt: skip
    for request, source in enumerate(("usage_hours", "run_counts")):
        warehouse.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id=batch, request=request,
            source=source, agent_id="a-1", status=200,
            window_start="2026-11-12", window_end="2026-11-20",
        )  # fmt: skip
    warehouse.given("run_counts", run_count=70)
    warehouse.given(
        "agent_billing_days", cost_usd="0.5", billed_usd="0.2",
        load_id="20261120T050000Z-004-meters",
    )  # fmt: skip
    warehouse.given("provider_keys", created_at=NOON)
    warehouse.given(
        "provider_keys", key_id="k-2", provider="bedrock", created_at=NOON - timedelta(days=15)
    )
    changed = {"run_id": "r-late", "created_at": NOON}
    first = warehouse.given("runs", cost_usd=1, load_id="20261120T050000Z-002-lists", **changed)
    warehouse.replaced(
        first, "runs", cost_usd="1.5", load_id="20261121T050000Z-003-corrected", **changed
    )
    warehouse.run_batch("20261121T050000Z")


def _batch(warehouse: Warehouse) -> None:
    batch = {"workspace_id": WORKSPACE, "load_id": "load-1"}
    warehouse.insert("ledger.loads", step="listing", loaded_at=NOON, record_count=9, **batch)
    warehouse.insert(
        "ledger.list_snapshots", pulled_at=NOON, row_count=9, is_contiguous=True, **batch
    )
    warehouse.insert(
        "ledger.quarantine", source="runs", request=1, line=4, field="(record)", reason="no id",
        **batch,
    )  # fmt: skip


def _lineage(warehouse: Warehouse) -> None:
    """The request and the file that each run came by."""
    warehouse.con.execute("""
        insert into ledger.requests by name
        select distinct workspace_id, load_id, request, 'runs' as source, '/runs/' as path,
            timestamptz '2026-11-19 12:00:00+00' as fetched_at
        from raw.runs;
        insert into ledger.files by name
        select distinct workspace_id, load_id, 'runs.ndjson.zst' as file_name, 'ab12' as sha256
        from raw.runs
    """)
