"""Tables of a month: a query of `queries/pack/` each, with what its sheet needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analytics.files import folder
from analytics.report.columns import default_label

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

    `name` is its query. Without rows it says `empty`. `sums` are the columns that have a total;
    `labels` are of columns that have others than their own.
    """

    name: str
    title: str
    empty: str
    sums: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def read(self, con: duckdb.DuckDBPyConnection, month: date) -> pl.DataFrame:
        """Return the rows of the month, named by its first day."""
        import polars as pl

        sql = (folder("queries") / "pack" / f"{self.name}.sql").read_text(encoding="utf-8")
        params = {"month": month} if "$month" in sql else None
        return pl.DataFrame(con.sql(sql, params=params))

    def label(self, name: str) -> str:
        """Return the heading of a column."""
        return self.labels.get(name) or _LABELS.get(name) or default_label(name)


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
)  # fmt: skip
COST_CENTERS = Table(
    "cost_centers",
    "Bill by cost center",
    "No cost in this month.",
    sums=("billed_usd", "direct_usd", "shared_usd", "metered_cost_usd"),
    labels={"direct_usd": "Of its agents", "shared_usd": "Shared"},
)  # fmt: skip
ACCRUALS = Table(
    "accruals",
    "Accruals: billed and not invoiced",
    "Nothing is accrued: all that is billed is invoiced.",
    sums=("accrual_usd", "adjusted_usd", "entry_usd", "billed_usd", "invoiced_usd"),
    labels={"adjusted_usd": "By adjustment entries", "entry_usd": "By the accrual entry"},
)
RECONCILIATION = Table(
    "reconciliation", "Reconciliation by UTC day", "No day of this month was read."
)
CHECKS = Table(
    "checks",
    "Checks",
    "No check has run.",
    labels={"check_name": "Check", "is_ok": "Passed", "is_blocking": "Stopped publishing"},
)
QUERIED = (LINES, COST_CENTERS, ACCRUALS, RECONCILIATION, ADJUSTMENTS, CHECKS)
"""All tables that a query reads."""

JOURNAL = Table(
    "journal",
    "Journal",
    "No journal is kept of this month.",
    sums=("debit_usd", "credit_usd"),
    labels={"entry_id": "Entry", "line_number": "Line", "usage_month": "Usage of"},
)
"""It is made of the journal, in whole cents."""
