"""The relations that each export reads."""

from __future__ import annotations

from functools import cache

from analytics.published.export.month_tables import TABLES
from analytics.resources import folder
from analytics.transform.models import references

_OF_ALL = frozenset(("marts.dim_workspaces", "marts.dim_months", "marts.dim_agents", "audit.loads"))

MONTH = _OF_ALL | {"marts.fct_agent_owner_months"}
"""Those of the statement of a month."""

FOCUS = _OF_ALL | {
    "marts.fct_charges", "marts.fct_charge_corrections", "marts.fct_invoices", "marts.dim_models",
    "audit.closings",
}  # fmt: skip
"""Those of the datasets of FOCUS."""

JOURNAL = _OF_ALL | {"marts.fct_journal_lines", "marts.fct_accruals"}
"""Those of the journal."""


@cache
def pack() -> frozenset[str]:
    """Return those of the pack and of its workbook."""
    tables: set[str] = set()
    for file in (folder("queries") / "pack").glob("*.sql"):
        tables |= references(file.name, file.read_text(encoding="utf-8"))
    return frozenset({*tables, *(table.relation for table in TABLES), *MONTH, *FOCUS, *JOURNAL})
