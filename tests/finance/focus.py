"""Months of charges in a warehouse, closed as a close does it, and their FOCUS files as rows."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from analytics.finance.books.frozen import load_frozen, write_frozen
from analytics.published.export.focus.columns import Dataset
from analytics.published.export.focus.files import file_name, write_focus
from analytics.resources import folder
from analytics.transform.models import references
from tests.queries.metered import read_workspace
from tests.transform.given import WORKSPACE, Warehouse

Row = dict[str, str]
CLOSED = datetime(2026, 12, 5, tzinfo=UTC)


def read_from(warehouse: Warehouse, first: date, workspace_id: str = WORKSPACE) -> None:
    """The meters of a workspace were read from this day on."""
    read_workspace(warehouse, workspace_id)
    warehouse._con.execute("update ledger.requests set window_start = ?", [first])


def used(
    warehouse: Warehouse, day: date, cost: str | None, billed: str | None = None, **of: object
) -> None:
    """An agent's usage of a day by the hour; with `billed`, also the bill of that day."""
    row: dict[str, object] = {"agent_id": "a-1", "provider": "anthropic", "model": "claude-5"}
    row |= {"tokens_in": 100, "tokens_out": 10, "request_count": 1} | of
    bill = {"date": day, "agent_id": row["agent_id"], "billed_usd": billed}
    bill |= {name: of[name] for name in ("workspace_id",) if name in of}
    if cost is not None:
        warehouse.given("usage_hours", date=day, hour=f"{day} 12:00Z", cost_usd=cost, **row)
    if billed is not None:
        warehouse.given("agent_billing_days", cost_usd=of.get("cost_of_day", cost), **bill)


def build(warehouse: Warehouse) -> None:
    """Build the relations that a close and the files read, and no others."""
    warehouse.build()
    for relation in _read():
        warehouse.execute(f"select 1 from {relation} limit 0")


def close(warehouse: Warehouse, books: Path, *months: date) -> None:
    """Close months with the figures as they are built; what depends on it is not built anew."""
    con = warehouse._con
    for month in months:
        target = books / f"{month:%Y-%m}"
        target.mkdir()
        write_frozen(con, month, 1, target)
        warehouse.insert(
            "finance.closings", month=month, revision=1, status="closed", closed_at=CLOSED,
            is_early=False,
        )  # fmt: skip
    load_frozen(con, sorted(books.iterdir()))


def rows(
    warehouse: Warehouse,
    target: Path,
    month: date,
    dataset: Dataset = Dataset.cost_and_usage,
) -> list[Row]:
    """The rows of a month's CSV file, which is written once."""
    file = target / file_name(dataset, f"{month:%Y-%m}")
    if not file.exists():
        write_focus(warehouse._con, month, target)
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def _read() -> list[str]:
    read = {"marts.fct_charges", "marts.fct_charge_adjustments", "marts.fct_invoices"}
    read |= {"marts.dim_models", "marts.dim_months", "audit.closings", "audit.loads"}
    for file in (folder("queries") / "books").glob("*.sql"):
        read |= references(file.stem, file.read_text(encoding="utf-8"))
    return sorted(read)
