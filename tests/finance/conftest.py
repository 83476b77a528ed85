"""A month of two workspaces whose amounts have ten decimals, and names that are no formulas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from analytics.export.entries import find_journal
from analytics.export.month_end import MonthEnd, read_month_end
from analytics.export.pack import write_pack
from analytics.finance.books.entries import Amounts, ClosingFacts
from analytics.transform.checks import run_checks
from tests.queries.closing import close
from tests.queries.invoiced import ACCOUNTS
from tests.queries.metered import metered, read_workspace
from tests.queries.sample import own
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
OTHER = "w-2"
HOSTILE = "=cmd()|'/c calc'!A0 <script>alert(\"1\")</script>"

CLOSE = ClosingFacts(
    month="2026-11",
    revision=1,
    closed_at=datetime(2026, 12, 5, 8, 30, tzinfo=UTC),
    prepared_by="finance-batch",
    approved_by="M. Baker & <b>Co</b>",
    sign_off=None,
    early_reasons=[],
    totals=Amounts(metered_cost_usd=Decimal(0), billed_usd=Decimal(0), surcharge_usd=Decimal(0),
                   own_key_usd=Decimal(0)),
    workspaces=[],
    code_version="0.1.0",
    duckdb_version="2.0",
)  # fmt: skip
"""A close as a statement tells of it."""


def fill(warehouse: Warehouse) -> None:
    """Workspaces of twenty agents each, a tenth of them without cost, and a run of each."""
    random = Random(15)
    warehouse.insert("ledger.workspaces", workspace_id=OTHER, workspace_name="=Cakes & <Co>")
    for workspace_id in (WORKSPACE, OTHER):
        read_workspace(warehouse, workspace_id)
        load = {"workspace_id": workspace_id, "load_id": "load-1"}
        warehouse.insert("ledger.loads", step="lists", code_version="0.1.0", **load)
        warehouse.insert("ledger.files", file_name="runs.ndjson.zst", sha256="ab12", **load)
    last_batch_at = datetime(2026, 12, 8, 5, tzinfo=UTC)
    warehouse.con.execute("update ledger.workspaces set last_batch_at = ?", [last_batch_at])
    own(warehouse, {"owner": "=Owner()", "cost_center": "C-1"})
    for role, account in ACCOUNTS.items():
        warehouse.insert("finance.accounts", role=role, account=account)
    warehouse.insert(
        "finance.budgets", line=2, scope="workspace", name="bakery", month=NOVEMBER,
        amount_usd="100.005",
    )  # fmt: skip
    warehouse.insert(
        "finance.invoices", line=2, invoice_id="=INV()", workspace=WORKSPACE, month=NOVEMBER,
        issued_on=date(2026, 11, 30), amount_usd=100, credit_usd=0, tax_usd=19,
    )  # fmt: skip
    warehouse.given(
        "provider_keys", workspace_id=OTHER, created_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    for number in range(40):
        agent = {"workspace_id": OTHER if number % 2 else WORKSPACE, "agent_id": f"a-{number}"}
        name = HOSTILE if number < 2 else f"Agent {number // 4}"
        warehouse.given("agents", agent_name=name, agent_slug=f"agent-{number}", **agent)
        status = "failed" if number % 7 == 0 else "succeeded"
        warehouse.given("runs", run_id=f"r-{number}", status=status, cost_usd=1, **agent)
        if number % 20 >= 18:
            continue
        cost = Decimal(random.randrange(10**13)).scaleb(-10)
        provider = random.choice(["anthropic", "openai"])
        billed = cost * Decimal("1.1") if provider == "openai" else Decimal(random.randrange(100))
        metered(
            warehouse, cost_usd=cost, billed_usd=billed.quantize(Decimal("1e-10")),
            provider=provider, model=f"{provider}.m", **agent,
        )  # fmt: skip


@pytest.fixture(scope="session")
def november(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The month, closed; a bill that was corrected afterwards is an adjustment of December."""
    with empty_warehouse(tmp_path_factory.mktemp("november")) as warehouse:
        fill(warehouse)
        close(warehouse, NOVEMBER)
        version, cost, billed = warehouse.row(
            "select version_id, cost_usd, billed_usd from raw.agent_billing_days"
            " where agent_id = 'a-2'"
        )
        warehouse.replaced(
            version, "agent_billing_days", agent_id="a-2", cost_usd=cost,
            billed_usd=billed - Decimal("0.0000000015"),
        )  # fmt: skip
        warehouse.insert("ledger.loads", workspace_id=WORKSPACE, load_id="load-2", step="meters")
        warehouse.build_all()
        run_checks(warehouse.con)
        yield warehouse


@pytest.fixture(scope="session")
def pack(november: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of the closed month."""
    folder = tmp_path_factory.mktemp("pack")
    write_pack(november.con, NOVEMBER, folder, CLOSE)
    return folder


def month_end_of(warehouse: Warehouse, month: date) -> MonthEnd:
    """Return what statement and workbook of a month show, which no close writes."""
    con = warehouse.con
    return read_month_end(con, month, None, find_journal(con, month, None))
