"""Budgets: `finance/budgets.csv`, read and checked line by line.

    scope,name,workspace,month,amount_usd
    workspace,Production,,2026-11,1500
    agent,support-desk,Production,2026-11,300
    cost_center,CC-110,,2026-11,400.50
    all,,,2026-11,2500

`name` is a workspace (name or identifier), an agent (slug or identifier) or a cost center of
`owners.csv`; of `all` it is empty. `workspace` limits an agent or a cost center to one workspace;
without it, the budget is for all workspaces together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.finance.lines import Form, Line, Lines, read_lines
from analytics.format.names import ALL

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal
    from pathlib import Path

SCOPES = ("workspace", "agent", "cost_center", "all")
FORM = Form(
    "finance/budgets.csv",
    ("scope", "name", "workspace", "month", "amount_usd"),
    required=(("scope",), ("name",), ("month",), ("amount_usd",)),
    otherwise="there is no budget",
)


@dataclass(frozen=True)
class Budget:
    """A line of the file; `month` is its first day, and no workspace stands for all."""

    line: int
    scope: str
    name: str
    workspace: str | None
    month: date
    amount_usd: Decimal


def read_budgets(project: Path) -> Lines[Budget]:
    """Read the budgets of a project folder; there are none without a file.

    A line that is wrong is no budget, and a problem; nothing raises.
    """
    above: dict[object, int] = {}

    def read(line: Line) -> Budget:
        budget = _budget(line)
        name = budget.name if budget.scope == "cost_center" else budget.name.casefold()
        key = budget.scope, name, (budget.workspace or "").casefold(), budget.month
        if key in above:
            raise ValueError(f"line {above[key]} is a budget of the same for the same month")
        above[key] = line.number
        return budget

    return read_lines(project, FORM, read)


def _budget(line: Line) -> Budget:
    """Return a line as a budget; ValueError says what is wrong with it."""
    scope, name, workspace = line.required("scope"), line.text("name"), line.text("workspace")
    if scope not in SCOPES:
        raise ValueError(f"scope `{scope}` is none of {', '.join(SCOPES)}")
    if scope == "all":
        if name is not None:
            raise ValueError(f"scope all has no name; leave `{name}` out")
        name = ALL
    elif name is None:
        raise ValueError("name is empty")
    if workspace is not None and scope in ("workspace", "all"):
        raise ValueError(f"workspace is of agents and cost centers; of scope {scope} it is empty")
    month, amount = line.month("month"), line.amount("amount_usd")
    if amount is None:
        raise ValueError("amount_usd is empty; a budget of nothing is 0")
    return Budget(line.number, scope, name, workspace, month, amount)
