"""Months of two agents and the platform, billed and invoiced: rows for the tests of the journal."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.queries.sample import own
from tests.transform.given import WORKSPACE, Warehouse

SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in range(9, 13))
JANUARY = date(2027, 1, 1)

ACCOUNTS = {
    "expense": "6200", "accrued": "2150", "payable": "2000", "tax": "1400", "rounding": "6990",
}  # fmt: skip


def owned(warehouse: Warehouse, **accounts: str) -> None:
    """Two agents with cost centers, one of which has an account of its own; and accounts."""
    for agent in ("a-1", "a-2"):
        warehouse.given("agents", agent_id=agent, agent_slug=agent)
    own(
        warehouse,
        {"agent": "a-1", "cost_center": "CC-1", "account": "6210"},
        {"agent": "a-2", "cost_center": "CC-2"},
    )
    warehouse.insert("finance.accounts", role="expense", cost_center="CC-2", account="6220")
    for role, account in (ACCOUNTS | accounts).items():
        warehouse.insert("finance.accounts", role=role, account=account)


def billed(warehouse: Warehouse, month: date, agent_id: str | None, usd: str, **of: Any) -> int:
    """A bill of the tenth of the month; return its version."""
    row = {"date": month.replace(day=10), "cost_usd": usd, "billed_usd": usd} | of
    return warehouse.given("agent_billing_days", agent_id=agent_id, **row)


def invoiced(warehouse: Warehouse, month: date, usd: str, **of: Any) -> None:
    """A line of finance/invoices.csv, issued on the second of the month after."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 2)
    ((line,),) = warehouse._con.execute("select count(*) + 2 from finance.invoices").fetchall()
    row = {"line": line, "invoice_id": f"LEV-{month:%Y-%m}", "month": month}
    row |= {"workspace": WORKSPACE, "issued_on": following}
    row |= {"amount_usd": usd, "credit_usd": 0, "tax_usd": 0}
    row["is_accepted"] = False
    warehouse.insert("finance.invoices", **(row | of))
