"""Tables of a month: a query of `queries/pack/` each, with what its sheet and the page need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analytics.files import folder
from analytics.report.columns import Column, column, default_label
from analytics.transform.page_queries import over_queries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import duckdb
    import polars as pl

AMOUNTS = ("billed_usd", "surcharge_usd", "own_key_usd", "metered_cost_usd")
"""Amounts of a line: metered cost + surcharge - own-key cost = billed, where that is known."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table of a month.

    `name` is its query. Without rows it says `empty`. `sums` are the columns that have a total,
    `shown` those that the printed statement has room for; `labels` are of columns that have others
    than their own.
    """

    name: str
    title: str
    empty: str
    sums: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def read(self, con: duckdb.DuckDBPyConnection, month: date) -> pl.DataFrame:
        """Return the rows of the month, named by its first day."""
        import polars as pl

        sql = (folder("queries") / "pack" / f"{self.name}.sql").read_text(encoding="utf-8")
        params = {"month": month} if "$month" in sql else None
        return pl.DataFrame(con.sql(over_queries(con, sql), params=params))

    def label(self, name: str) -> str:
        """Return the heading of a column."""
        return self.labels.get(name) or _LABELS.get(name) or default_label(name)

    @property
    def columns(self) -> list[Column]:
        """The columns of the printed statement."""
        return [column(each) for each in self.shown]


_LABELS = {"workspace_id": "Workspace ID", "agent_id": "Agent ID"}
_OWN_KEY = "Own-key cost (payable to the provider)"
_COUNTS = ("run_count", "succeeded_count", "failed_count", "cancelled_count")

LINES = Table(
    "lines",
    "Lines by workspace and agent",
    "No cost and no run in this month.",
    sums=(
        *AMOUNTS, *_COUNTS, "failed_cost_usd", "cost_usd", "unknown_cost_count",
        "listed_run_count", "tokens_in", "tokens_out",
    ),
    shown=(
        "agent_name|name|Agent", "owner|text", "cost_center|text|Cost center", "billed_usd",
        "surcharge_usd", "own_key_usd", "metered_cost_usd", "run_count",
        "failed_count/finished_count|rate_short|Failure rate",
    ),
    labels={"own_key_usd": _OWN_KEY, "cost_usd": "Cost of runs created in the month"},
)  # fmt: skip
ADJUSTMENTS = Table(
    "adjustments",
    "Adjustments of earlier months",
    "This month books no adjustment of an earlier, closed month.",
    sums=(
        "difference_billed_usd", "difference_surcharge_usd", "difference_own_key_usd",
        "difference_metered_cost_usd", "difference_run_count",
    ),
    shown=(
        "usage_month|text|Month", "workspace_name|name|Workspace", "agent_name|name|Agent",
        "cost_center|text|Cost center", "cause", "previous_billed_usd|usd|Billed before",
        "current_billed_usd|usd|Billed now", "difference_billed_usd|usd_signed|Difference",
    ),
)  # fmt: skip
COST_CENTERS = Table(
    "cost_centers",
    "Bill by cost center",
    "No cost in this month.",
    sums=("billed_usd", "direct_usd", "shared_usd", "metered_cost_usd"),
    shown=(
        "cost_center|text|Cost center", "billed_usd", "direct_usd|usd|Of its agents",
        "shared_usd|usd|Shared", "metered_cost_usd",
    ),
    labels={"direct_usd": "Of its agents", "shared_usd": "Shared"},
)  # fmt: skip
BUDGETS = Table(
    "budgets",
    "Budgets",
    "finance/budgets.csv has no budget of this month.",
    shown=(
        "subject|name|Budget of",
        "scope|words|Scope",
        "of_workspace|name|Workspace",
        "budget_usd|usd|Budget",
        "actual_usd|usd|Metered cost + surcharge",
        "remaining_usd",
        "status|words|State",
    ),
)
BILL_CHANGES = Table(
    "bill_changes",
    "Why the bill changed",
    "",
    shown=(
        "cause|prose|Effect", "share|effect|On the bill", "amount_usd|usd_signed|Amount",
        "driver_name|name|Most of it", "driver_model|text|On",
    ),
)  # fmt: skip
ACCRUALS = Table(
    "accruals",
    "Accruals: billed and not invoiced",
    "Nothing is accrued: all that is billed is invoiced.",
    sums=("accrual_usd", "adjusted_usd", "entry_usd", "billed_usd", "invoiced_usd"),
    shown=(
        "usage_month|text|Usage of",
        "workspace_name|name|Workspace",
        "cost_center|text|Cost center",
        "account|text|Account",
        "billed_usd",
        "invoiced_usd",
        "accrual_usd",
        "adjusted_usd|usd|By adjustments",
        "entry_usd|usd|By the accrual entry",
        "reversal_date|day|Reversed on",
    ),
    labels={"adjusted_usd": "By adjustment entries", "entry_usd": "By the accrual entry"},
)
INVOICES = Table(
    "invoices",
    "Invoices",
    "finance/invoices.csv has no invoice for this month, and this month books none.",
    shown=(
        "invoice_id|text|Invoice", "workspace_name|name|Workspace", "usage_month|text|Usage of",
        "issued_on|day|Issued", "booked_month|text|Booked in", "amount_usd", "credit_usd",
        "tax_usd", "month_billed_usd|usd|Billed for the usage",
        "month_difference_usd|usd_signed|Difference", "status|words|State",
    ),
)  # fmt: skip
RECONCILIATION = Table(
    "reconciliation", "Reconciliation by UTC day", "No day of this month was read."
)
CHECKS = Table(
    "checks",
    "Checks",
    "No check has run.",
    shown=("claim|prose|Claim", "finding|prose|Finding", "violation_count|count|Violations"),
    labels={"check_name": "Check", "is_ok": "Passed", "is_blocking": "Stopped publishing"},
)
QUERIED = (
    LINES, BILL_CHANGES, BUDGETS, COST_CENTERS, ACCRUALS, INVOICES, RECONCILIATION, ADJUSTMENTS,
    CHECKS,
)  # fmt: skip
"""All tables that a query reads."""

BOOKINGS = Table(
    "bookings",
    "What to book",
    "No journal is kept of this month.",
    sums=("debit_usd", "credit_usd"),
    shown=(
        "account|text|Account", "roles|text|For", "cost_center|text|Cost center", "debit_usd",
        "credit_usd",
    ),
)  # fmt: skip
JOURNAL = Table(
    "journal",
    "Journal",
    BOOKINGS.empty,
    sums=("debit_usd", "credit_usd"),
    labels={"entry_id": "Entry", "line_number": "Line", "usage_month": "Usage of"},
)
"""These two are made of the journal, in whole cents."""
