"""The demo's files of `finance/`: owners, budgets, rules, accounts, and the invoices of the vendor.

Levain's invoices hold what the emulator billed: one company's agrees with it to the cent, the other
one's is a dollar too high.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.emulator.aggregates import Analytics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analytics.emulator.records import Workspace
    from analytics.emulator.state import State

CENT, DOLLAR = Decimal("0.01"), Decimal("1.00")
ISSUED_ON_DAY = 3
"""Of the month after the one that an invoice bills."""

OWNERS = """\
workspace,agent,cost_center,account,owner,valid_from,valid_to
Hearth & Grain,support-triage,CC-110,,Support,,
Hearth & Grain,refund-desk,CC-110,,Support,,
Hearth & Grain,order-status,CC-120,,Operations,,
Hearth & Grain,supplier-negotiator,CC-120,,Operations,,
Hearth & Grain,inventory-forecaster,CC-120,,Operations,,
Hearth & Grain,pr-reviewer,CC-300,6250,Engineering,,
Hearth & Grain,catalogue-migrator,CC-300,6250,Engineering,,
Hearth & Grain,release-notes,CC-300,6250,Engineering,,
Hearth & Grain,*,CC-900,,Head office,,
Northlight Studio,storyboard-helper,CC-410,,Film,,
Northlight Studio,*,CC-400,,Studio,,
"""
ALLOCATION = """\
# Usage that names no agent is shared by those who use agents.
[[rules]]
name = "Platform by use"
source = "platform"
method = "proportional"
by = "billed"

[[rules]]
name = "Runs without an agent by use"
source = "no_agent"
method = "proportional"
by = "billed"
"""
ACCOUNTS = """\
[accounts]
expense = "6200"
accrued = "2150"
payable = "2000"
tax = "1400"
rounding = "6990"

[cost_centers]
CC-410 = "6210"
"""
_BUDGETS = (
    ("all", "", "", 650),
    ("workspace", "Hearth & Grain", "", 560),
    ("workspace", "Northlight Studio", "", 90),
    ("cost_center", "CC-300", "", 330),
    ("agent", "support-triage", "Hearth & Grain", 60),
)
"""Scope, name, workspace, and US dollars a month."""


def budgets(months: Sequence[date]) -> str:
    """Return `budgets.csv`: the same amounts in each of these months."""
    lines = ["scope,name,workspace,month,amount_usd"]
    lines += [
        f"{scope},{name},{workspace},{month:%Y-%m},{amount}"
        for month in months
        for scope, name, workspace, amount in _BUDGETS
    ]
    return "\n".join(lines) + "\n"


def invoices(world: State, months: Sequence[date]) -> str:
    """Return `invoices.csv` with an invoice of each workspace for each of these months."""
    lines = ["invoice_id,workspace,month,issued_on,amount_usd,credit_usd,tax_usd"]
    lines += [line for month in months for line in _invoices(world, month)]
    return "\n".join(lines) + "\n"


def _invoices(world: State, month: date) -> Iterator[str]:
    following = (month + timedelta(days=32)).replace(day=1)
    for number, workspace in enumerate(world.workspaces, start=1):
        amount = _billed(workspace, month, following).quantize(CENT)
        too_high = DOLLAR if number == len(world.workspaces) else 0
        issued_on = following.replace(day=ISSUED_ON_DAY)
        yield (
            f"LV-{month:%Y%m}-{number:02},{workspace.name},{month:%Y-%m},{issued_on},"
            f"{amount + too_high},,"
        )


def _billed(workspace: Workspace, first: date, following: date) -> Decimal:
    start, end = (datetime.combine(day, time(), UTC) for day in (first, following))
    rows = Analytics(workspace, end).billing(start, end)
    return sum((row["billed_usd"] for row in rows), Decimal())
