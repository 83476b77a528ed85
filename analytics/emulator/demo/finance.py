"""The demo's files of `finance/`: owners, budgets, rules, accounts, invoices, and outcomes.

Levain's invoices hold what the emulator billed: one company's agrees with it to the cent, the other
one's is a dollar too high.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.emulator.aggregates import Analytics
from analytics.emulator.demo.agents import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analytics.emulator.records import Workspace
    from analytics.emulator.state import State

CENT, DOLLAR = Decimal("0.01"), Decimal("1.00")
ISSUED_ON_DAY = 3
"""Of the month after the one that an invoice bills."""

_AS_THEY_ARE = ("owners.csv", "allocation.toml", "accounts.toml")
_BUDGETS = (
    ("all", "", "", 650),
    ("workspace", "Hearth & Grain", "", 560),
    ("workspace", "Northlight Studio", "", 90),
    ("cost_center", "CC-300", "", 330),
    ("agent", "support-triage", "Hearth & Grain", 60),
)
"""Scope, name, workspace, and US dollars a month."""

_REVIEWER, _MERGED_OF_TEN = "pr-reviewer", 6
_TRIAGE, _SOLVED_OF_TEN, _TICKET_USD = "support-triage", 7, 4


def files(world: State, budgeted: Sequence[date], billed: Sequence[date]) -> dict[str, str]:
    """Return the text of each file, with budgets and invoices of these months."""
    budgets = [
        f"{scope},{name},{workspace},{month:%Y-%m},{amount}"
        for month in budgeted
        for scope, name, workspace, amount in _BUDGETS
    ]
    invoices = [line for month in billed for line in _invoices(world, month)]
    return {name: (FOLDER / name).read_text(encoding="utf-8") for name in _AS_THEY_ARE} | {
        "budgets.csv": _lines("scope,name,workspace,month,amount_usd", budgets),
        "invoices.csv": _lines(
            "invoice_id,workspace,month,issued_on,amount_usd,credit_usd,tax_usd", invoices
        ),
        "outcomes.csv": _lines(
            "outcome_id,date,workspace,agent,run,outcome,count,value_usd", [*_outcomes(world)]
        ),
    }


def _lines(head: str, lines: Sequence[str]) -> str:
    return "\n".join([head, *lines]) + "\n"


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


def _outcomes(world: State) -> Iterator[str]:
    """Yield what succeeded runs led to: merged pull requests, and a day's solved tickets."""
    for workspace in world.workspaces:
        if reviewer := workspace.agent(_REVIEWER):
            for run in workspace.runs_by_agent[reviewer.id]:
                if run.status == "succeeded" and int(run.id[-2:], 16) % 10 < _MERGED_OF_TEN:
                    day = run.created_at.date()
                    yield f"pr-{run.id[:8]},{day},{workspace.name},,{run.id},merged pull request,,"
        if triage := workspace.agent(_TRIAGE):
            runs = workspace.runs_by_agent[triage.id]
            solved = Counter(
                run.created_at.date()
                for run in runs
                if run.status == "succeeded" and int(run.id[-2:], 16) % 10 < _SOLVED_OF_TEN
            )
            for day, count in sorted(solved.items()):
                yield (
                    f"tickets-{day},{day},{workspace.name},{_TRIAGE},,solved ticket,{count},"
                    f"{count * _TICKET_USD}"
                )


def _billed(workspace: Workspace, first: date, following: date) -> Decimal:
    start, end = (datetime.combine(day, time(), UTC) for day in (first, following))
    rows = Analytics(workspace, end).billing(start, end)
    return sum((row["billed_usd"] for row in rows), Decimal())
