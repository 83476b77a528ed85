"""Tables of a month: each is a query of `queries/pack/`, a CSV file, and mostly a sheet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analytics.report.columns import Column, column, default_label
from analytics.resources import folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    import polars as pl

AMOUNTS = ("billed_usd", "surcharge_usd", "own_key_usd", "metered_cost_usd")
"""Amounts of a line: metered cost + surcharge - own-key cost = billed."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table of a month.

    `name` is its query, `relation` where comments explain its columns, `file` its CSV file in the
    pack and `sheet` its sheet in the workbook, if it has one. Without rows it says `empty`. `sums`
    are the columns that have a total, `shown` those that the printed statement has room for.
    `labels` and `meanings` are of columns that have others, or none, of their own.
    """

    name: str
    relation: str
    title: str
    file: str
    empty: str
    sheet: str = ""
    sums: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)

    def read(self, con: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any]) -> pl.DataFrame:
        """Return the rows of the month and the workspaces that the parameters name."""
        import polars as pl

        sql = (folder("queries") / "pack" / f"{self.name}.sql").read_text(encoding="utf-8")
        given = {name: value for name, value in parameters.items() if f"${name}" in sql}
        return pl.DataFrame(con.sql(sql, params=given))

    def label(self, name: str) -> str:
        """Return the heading of a column."""
        return self.labels.get(name) or _LABELS.get(name) or default_label(name)

    def totals(self, rows: Sequence[Mapping[str, Any]]) -> dict[int, int]:
        """Return the place of each step that is a total, and that of the first one it adds up."""
        found, first = {}, 0
        for place, row in enumerate(rows):
            if place and row.get("workspace_id") != rows[place - 1].get("workspace_id"):
                first = place
            if row.get("is_total"):
                if place > first:
                    found[place] = first
                first = place
        return found

    @property
    def columns(self) -> list[Column]:
        """The columns of the printed statement."""
        return [column(each) for each in self.shown]


_LABELS = {
    "workspace_id": "Workspace ID",
    "agent_id": "Agent ID",
    "load_id": "Load ID",
    "request_count": "Requests",
}
_OWN_KEY = "Own-key cost (payable to the provider)"
_COUNTS = ("run_count", "succeeded_count", "failed_count", "cancelled_count")

LINES = Table(
    "lines",
    "fct_month_lines",
    "Lines by workspace and agent",
    "lines.csv",
    "No cost and no run in this month.",
    "Lines",
    sums=(
        *AMOUNTS, *_COUNTS, "failed_cost_usd", "run_cost_usd", "unknown_cost_count",
        "listed_run_count", "tokens_in", "tokens_out",
    ),
    shown=(
        "agent_name|name|Agent", "owner|text", "cost_center|text|Cost center", "billed_usd",
        "surcharge_usd", "own_key_usd", "metered_cost_usd", "run_count",
        "failed_count/finished_count|rate_short|Failure rate",
    ),
    labels={"own_key_usd": _OWN_KEY, "run_cost_usd": "Cost of runs created in the month"},
)  # fmt: skip
ADJUSTMENTS = Table(
    "adjustments",
    "fct_period_adjustments",
    "Adjustments of earlier months",
    "evidence/adjustments.csv",
    "This month books no adjustment of an earlier, closed month.",
    "Adjustments",
    sums=(
        "difference_billed_usd", "difference_surcharge_usd", "difference_own_key_usd",
        "difference_cost_usd", "difference_run_count",
    ),
    shown=(
        "original_month|text|Month", "workspace_name|name|Workspace", "agent_name|name|Agent",
        "cost_center|text|Cost center", "cause", "previous_billed_usd|usd|Billed before",
        "current_billed_usd|usd|Billed now", "difference_billed_usd|usd_signed|Difference",
    ),
    labels={"own_key_usd": _OWN_KEY},
)  # fmt: skip
PROVIDERS = Table(
    "providers",
    "fct_charges",
    "Bill by provider",
    "providers.csv",
    "No cost in this month.",
    "Providers",
    sums=(*AMOUNTS, "request_count", "tokens_in", "tokens_out"),
    shown=(
        "workspace_name|name|Workspace", "provider", *AMOUNTS, "request_count|count|Requests",
    ),
    labels={"own_key_usd": _OWN_KEY},
    meanings={"month": "YYYY-MM: UTC month of the usage."},
)  # fmt: skip
COST_CENTERS = Table(
    "cost_centers",
    "fct_allocations",
    "Bill by cost center",
    "cost-centers.csv",
    "No cost in this month.",
    "Cost centers",
    sums=("billed_usd", "direct_usd", "shared_usd", "metered_cost_usd"),
    shown=(
        "cost_center|text|Cost center", "billed_usd", "direct_usd|usd|Of its agents",
        "shared_usd|usd|Shared", "metered_cost_usd",
    ),
    labels={"direct_usd": "Of its agents", "shared_usd": "Shared"},
    meanings={
        "direct_usd": "Part of the bill in US dollars for agents of the cost center itself.",
        "shared_usd": "Part of the bill in US dollars that a rule of allocation.toml shared out to "
        "it, or that no rule did: (none) and (not allocated).",
    },
)  # fmt: skip
ALLOCATIONS = Table(
    "allocations",
    "fct_allocations",
    "Allocation of each line to cost centers",
    "allocations.csv",
    "No cost in this month.",
    "Allocation",
    sums=("billed_usd", "metered_cost_usd"),
)
BUDGETS = Table(
    "budgets",
    "rpt_budgets",
    "Budgets",
    "budgets.csv",
    "finance/budgets.csv has no budget of this month.",
    "Budget",
    shown=(
        "subject|name|Budget of", "scope|words|Scope", "of_workspace|name|Workspace",
        "budget_usd|usd|Budget", "actual_usd|usd|Metered cost + surcharge", "remaining_usd",
        "state|words|State",
    ),
    labels={
        "subject": "Budget of", "of_workspace": "Workspace",
        "actual_usd": "Metered cost + surcharge",
    },
)  # fmt: skip
BRIDGE = Table(
    "bridge",
    "rpt_month_bridge",
    "From the bill of the month before to that of the month",
    "bridge.csv",
    "This month has no bridge: it, or the month before, was not read whole.",
    "Bridge",
    shown=(
        "step|text|Step", "amount_usd", "comment|prose|Meaning", "driver_name|name|Mostly by",
        "driver_model|text|On",
    ),
    labels={
        "driver_name": "Mostly by", "driver_model": "On", "driver_usd": "Part of it",
        "is_total": "Total",
    },
)  # fmt: skip
BRIDGE_LINES = Table(
    "bridge_lines",
    "fct_month_bridge",
    "The bridge by agent and model",
    "bridge-by-agent.csv",
    BRIDGE.empty,
    "Bridge by agent",
    sums=(
        "start_usd", "adjustment_effect_usd", "volume_effect_usd", "agent_mix_effect_usd",
        "tokens_per_run_effect_usd", "model_mix_effect_usd", "price_effect_usd",
        "failure_effect_usd", "new_agent_effect_usd", "retired_agent_effect_usd",
        "platform_effect_usd", "surcharge_effect_usd", "own_key_effect_usd", "end_usd",
    ),
)  # fmt: skip
JOURNAL = Table(
    "journal_lines",
    "fct_journal_lines",
    "Journal",
    "",
    "No journal is kept of this month.",
    "Journal",
    sums=("debit_usd", "credit_usd"),
)
BOOKINGS = Table(
    "bookings",
    "fct_journal_lines",
    "What to book",
    "what-to-book.csv",
    JOURNAL.empty,
    "What to book",
    sums=("debit_usd", "credit_usd", "balance_usd"),
    shown=(
        "account|text|Account", "roles|text|For", "cost_center|text|Cost center", "debit_usd",
        "credit_usd",
    ),
    labels={"roles": "For"},
    meanings={
        "roles": "Roles of the account in the journal.",
        "debit_usd": "Debits of the account and cost center in US dollars.",
        "credit_usd": "Credits of the account and cost center in US dollars.",
        "balance_usd": "Debits less credits in US dollars.",
    },
)  # fmt: skip
ACCRUALS = Table(
    "accruals",
    "fct_accruals",
    "Accruals: billed and not invoiced",
    "accruals.csv",
    "Nothing is accrued: no charge of this month is billed.",
    "Accruals",
    sums=(
        "accrual_usd", "adjusted_usd", "entry_usd", "billed_usd", "invoiced_usd", "own_key_usd",
    ),
    shown=(
        "usage_month|text|Usage of", "workspace_name|name|Workspace",
        "cost_center|text|Cost center", "account|text|Account", "billed_usd", "invoiced_usd",
        "accrual_usd", "adjusted_usd|usd|By adjustments", "entry_usd|usd|By the accrual entry",
        "reversal_date|day|Reversed on",
    ),
    labels={
        "own_key_usd": _OWN_KEY, "adjusted_usd": "By adjustment entries",
        "entry_usd": "By the accrual entry", "accrual_id": "Accrual entry",
        "reversal_id": "Reversal entry",
    },
)  # fmt: skip
INVOICES = Table(
    "invoices",
    "fct_invoices",
    "Invoices",
    "invoices.csv",
    "finance/invoices.csv has no invoice for this month, and this month books none.",
    "Invoices",
    sums=("amount_usd", "credit_usd", "tax_usd"),
    shown=(
        "invoice_id|text|Invoice", "workspace_name|name|Workspace", "month|text|Usage of",
        "issued_on|day|Issued", "amount_usd", "credit_usd", "tax_usd",
        "month_billed_usd|usd|Billed in the month",
        "month_difference_usd|usd_signed|Difference of the month", "state|words|State",
    ),
    meanings={
        "month_invoiced_usd": "All invoices in US dollars of workspace and month so far, less "
        "credits; the same in each row of the month.",
        "month_billed_usd": "Bill in US dollars of workspace and month; the same in each row.",
        "month_difference_usd": "Invoiced less billed in US dollars, of all the month; the same in "
        "each row.",
    },
)  # fmt: skip
INVOICE_DAYS = Table(
    "invoice_days",
    "fct_invoice_days",
    "Days that may explain why invoices differ",
    "evidence/invoice-days.csv",
    "No day explains a difference.",
    "Invoice days",
    shown=(
        "workspace_name|name|Workspace", "utc_date", "billed_when_issued_usd", "billed_usd",
        "changed_usd|usd_signed|Change", "unexplained_usd",
    ),
)  # fmt: skip
RECONCILIATION = Table(
    "reconciliation",
    "reconciliation_days",
    "Reconciliation by UTC day",
    "evidence/reconciliation.csv",
    "No day of this month was read.",
    "Reconciliation",
    sums=(
        "billed_usd", "metered_cost_usd", "run_cost_usd", "open_cost_usd", "platform_cost_usd",
        "unlisted_cost_usd", "timing_difference_usd", "unexplained_usd",
    ),
)  # fmt: skip
COST_TO_BILL = Table(
    "cost_to_bill",
    "cost_to_bill",
    "From the cost of runs to the bill",
    "evidence/cost-to-bill.csv",
    "No cost in this month.",
    "Cost to bill",
    shown=("step|words", "amount_usd", "comment|prose|Meaning"),
    labels={"is_total": "Total"},
    meanings={"is_total": "True for steps that add up those above them."},
)
CHECKS = Table(
    "checks",
    "check_results",
    "Checks",
    "evidence/checks.csv",
    "No check has run.",
    "Checks",
    shown=("claim|prose|Claim", "finding|prose|Finding", "violation_count|count|Violations"),
    labels={"check_name": "Check", "is_ok": "Passed", "is_blocking": "Blocks publishing"},
)
LOADS = Table(
    "loads",
    "loads",
    "Loads and landing files",
    "evidence/loads.csv",
    "No load.",
    meanings={
        "file_name": "Landing file of the load: landing/workspace_id/load_id/file_name.",
        "byte_count": "Size of the landing file in bytes.",
        "sha256": "SHA-256 of the landing file when it was loaded.",
    },
)
REQUESTS = Table(
    "requests", "requests", "Requests to the API", "evidence/requests.csv", "No request."
)

TABLES = (
    LINES,
    BOOKINGS,
    PROVIDERS,
    BRIDGE,
    BRIDGE_LINES,
    BUDGETS,
    COST_CENTERS,
    ALLOCATIONS,
    JOURNAL,
    ACCRUALS,
    INVOICES,
    INVOICE_DAYS,
    RECONCILIATION,
    COST_TO_BILL,
    ADJUSTMENTS,
    CHECKS,
    LOADS,
    REQUESTS,
)
"""All tables, in the order of the sheets."""
