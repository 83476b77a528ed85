"""A world for FOCUS: four months, of which two are closed and corrected, one reopened."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from analytics.export.focus import Dataset, file_name, write_focus
from analytics.finance.books.frozen import load_frozen, selects, write_frozen
from analytics.transform.models import references
from tests.queries.metered import read_workspace
from tests.queries.sample import own
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

Row = dict[str, str]
CLOSED = datetime(2026, 12, 5, tzinfo=UTC)
APRIL, MAY, JUNE, JULY = MONTHS = [date(2026, month, 1) for month in range(4, 8)]
HOSTILE = ('=cmd()|"/c calc"!A0', "+1", "\t=1\r\n,", 'a;=1"\\', "<b>\xa0\u202e\U000e0001</b>")
OTHER = "w-2"
REOPENED = datetime(2026, 12, 24, 5, 6, 7, tzinfo=UTC)


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
    warehouse: Warehouse, target: Path, month: date, dataset: Dataset = Dataset.cost_and_usage
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
    for name, sql in selects().items():
        read |= references(name, sql)
    return sorted(read)


class Months(NamedTuple):
    """The warehouse, the folder of the files that were read from it, and May before its close."""

    warehouse: Warehouse
    folder: Path
    may: list[Row]

    def rows(self, dataset: Dataset, *months: date) -> list[Row]:
        return [
            row
            for month in months or MONTHS
            for row in rows(self.warehouse, self.folder, month, dataset)
        ]

    def charges(self, *months: date) -> list[Row]:
        return self.rows(Dataset.cost_and_usage, *months)

    def corrections(self, day: str = "") -> list[Row]:
        """The rows of June that correct May, or a day of it."""
        start = f"2026-05-{day}"
        return [
            row for row in self.charges(JUNE)
            if row["ChargeClass"] and row["ChargePeriodStart"].startswith(start)
        ]  # fmt: skip


def fill(warehouse: Warehouse) -> None:
    """April of agents with hostile names, May with some days for each scenario, and invoices."""
    warehouse.insert("ledger.workspaces", workspace_id=OTHER, workspace_name="=Other()\xa0")
    for workspace_id in (WORKSPACE, OTHER):
        read_workspace(warehouse, workspace_id)
        for month in MONTHS[:3]:
            warehouse.insert(
                "finance.invoices", line=int(f"{month.month}{workspace_id[-1]}"), month=month,
                invoice_id="=INV-5" if month == MAY else "=INV-6", workspace=workspace_id,
                issued_on=month + timedelta(days=33 if workspace_id == OTHER else 28),
                amount_usd="30.01",
                credit_usd=workspace_id == OTHER, tax_usd="1.5",
            )  # fmt: skip
    warehouse._con.execute("update ledger.requests set window_start = ?", [APRIL])
    for month in MONTHS:
        used(warehouse, month, "1E-10", "0", agent_id="b-1", workspace_id=OTHER)
    for provider, since in (("=openai()", "2026-04-05"), ("openai", "2026-01-01")):
        key = {"key_id": provider, "provider": provider, "created_at": f"{since} 00:00Z"}
        warehouse.given("provider_keys", **key)
    names = {f"a-{number}": name for number, name in enumerate(HOSTILE, start=1)}
    names |= {f"r-{number}": f"r-{number}" for number in range(111, 778, 111)}
    for agent_id, name in names.items():
        warehouse.given("agents", agent_id=agent_id, agent_name=name, agent_slug=agent_id)
    own(
        warehouse, {"agent": "r-666", "owner": "Bread"},
        *({"agent": each, "owner": name, "cost_center": name} for each, name in names.items()
          if each[0] == "a"),
    )  # fmt: skip
    for number, agent_id in enumerate([*[*names][:5], None], start=1):
        day = APRIL + timedelta(days=number * 3 - 1)
        agent: dict[str, object] = {"agent_id": agent_id}
        model = f'{HOSTILE[number % 5]}"{{}}'
        used(warehouse, day, f"{number}.0400000001", f"{number}.5", **agent, model=model)
        own_key = {"provider": "=openai()", "model": "openai.gpt-5.5"} | agent
        used(warehouse, day + timedelta(days=1), "0.7", "0.014", **own_key)
        used(warehouse, day + timedelta(days=2), None, "2", cost_of_day="1.9", **agent)
    used(warehouse, MAY, "1500", "1500", agent_id="r-111", tokens_in=900, tokens_out=100)
    for model in ("usg-123", "usg-456"):
        used(warehouse, date(2026, 5, 3), "3", agent_id="r-333", model=model)
    used(warehouse, date(2026, 5, 3), None, "6", agent_id="r-333", cost_of_day="6")
    used(warehouse, date(2026, 5, 4), None, "7", agent_id="r-444", cost_of_day="7")
    used(warehouse, date(2026, 5, 5), "5", "0.1", agent_id="r-555", provider="openai", model="gpt")
    used(warehouse, date(2026, 5, 6), "4", "4", agent_id="r-666")
    used(warehouse, date(2026, 5, 7), "4", agent_id="r-777")
    used(warehouse, date(2026, 5, 7), None, "3", agent_id="r-777")
    used(warehouse, date(2026, 6, 2), "1", "1", agent_id="r-111")


def correct(warehouse: Warehouse) -> None:
    """April and May as the API has them after the close; an invoice comes late, one changes."""
    warehouse._con.execute("""
        update raw.agent_billing_days set billed_usd = billed_usd + 0.0000000003
        where agent_id = 'a-5' and date = '2026-04-15';
        delete from raw.usage_hours where agent_id = 'a-4' and date = '2026-04-12';
        delete from raw.agent_billing_days where agent_id = 'a-4' and date = '2026-04-12';
        update raw.usage_hours set cost_usd = 1200, tokens_in = 720, tokens_out = 80
        where agent_id = 'r-111' and date = '2026-05-01';
        update raw.agent_billing_days set cost_usd = 1200, billed_usd = 1200
        where agent_id = 'r-111' and date = '2026-05-01';
        update raw.agent_billing_days set billed_usd = 6.002 where agent_id = 'r-333';
        update raw.agent_billing_days set billed_usd = 7.002 where agent_id = 'r-444';
        update raw.usage_hours set cost_usd = 8 where agent_id = 'r-555';
        update raw.agent_billing_days set cost_usd = 8, billed_usd = 0.16
        where agent_id = 'r-555';
        update raw.agent_billing_days set cost_usd = 4 where agent_id = 'r-777';
        update finance.owner_rules
        set owner = 'Cake', cost_center = 'C-1', valid_from = '2026-05-01'
        where agent = 'r-666'
    """)
    used(warehouse, MAY, "300", "300", agent_id="r-222", tokens_in=180, tokens_out=20)
    used(warehouse, date(2026, 5, 2), "2", "2", agent_id="r-222")
    warehouse.insert(
        "finance.invoices", line=99, invoice_id="LATE", workspace=OTHER, month=APRIL,
        issued_on=date(2026, 5, 30), amount_usd="7", credit_usd=0, tax_usd=0,
    )  # fmt: skip
    warehouse._con.execute(
        "update finance.invoices set amount_usd = 31 where month = ? and workspace = ?",
        [APRIL, WORKSPACE],
    )
    warehouse.insert(
        "finance.closings", month=JULY, revision=1, status="reopened", closed_at=CLOSED,
        is_early=True, reopened_at=REOPENED,
    )  # fmt: skip


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Months]:
    """April and May are closed, and corrected afterwards; July was, and was reopened."""
    root = tmp_path_factory.mktemp("months")
    (books := root / "books").mkdir()
    (before := root / "before").mkdir()
    with empty_warehouse(root / "data") as warehouse:
        fill(warehouse)
        build(warehouse)
        may = rows(warehouse, before, MAY)
        close(warehouse, books, APRIL, MAY)
        correct(warehouse)
        build(warehouse)
        yield Months(warehouse, root, may)
