"""Budgets: the lines of `finance/budgets.csv`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.finance.budgets import Budget, read_budgets
from analytics.finance.lines import Lines
from tests.finance.files import write

HEADER = "scope,name,workspace,month,amount_usd"
NOVEMBER = date(2026, 11, 1)


def budgets_of(*lines: str, header: str = HEADER) -> Lines[Budget]:
    write("budgets.csv", header, *lines)
    return read_budgets(Path())


def test_without_a_file_there_is_no_budget() -> None:
    """A project without the file has no budget and no problem."""
    assert read_budgets(Path()) == Lines()


def test_a_line_is_a_budget() -> None:
    """Each scope has its name; the budget of all is called (all), and no workspace is all."""
    found = budgets_of(
        "workspace,Bakery,,2026-11,1500",
        "agent,baker,Bakery,2026-11,0",
        "cost_center,CC-1,,2026-11-01,400.50",
        "all,,,2026-11,2500",
    )

    assert found == Lines(
        [
            Budget(2, "workspace", "Bakery", None, NOVEMBER, Decimal(1500)),
            Budget(3, "agent", "baker", "Bakery", NOVEMBER, Decimal(0)),
            Budget(4, "cost_center", "CC-1", None, NOVEMBER, Decimal("400.50")),
            Budget(5, "all", "(all)", None, NOVEMBER, Decimal(2500)),
        ],
        [],
    )


def test_the_workspace_may_be_no_column() -> None:
    """Without a column for it, every budget is of all workspaces."""
    found = budgets_of("2026-11,agent,baker,1", header="month,scope,name,amount_usd")

    assert [budget.workspace for budget in found.records] == [None]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",baker,,2026-11,1", "scope is empty"),
        ("team,baker,,2026-11,1", "scope `team` is none of workspace, agent, cost_center, all"),
        ("agent,,,2026-11,1", "name is empty"),
        ("all,Bakery,,2026-11,1", "scope all has no name; leave `Bakery` out"),
        ("all,,Bakery,2026-11,1", "workspace is of agents and cost centers; of scope all it is"),
        ("workspace,Bakery,Bakery,2026-11,1", "workspace is of agents and cost centers; of scope"),
        ("agent,baker,,November,1", "month `November` is no month: write it like 2026-11"),
        ("agent,baker,,2026-11,", "amount_usd is empty; a budget of nothing is 0"),
        ("agent,baker,,2026-11,-5", "amount_usd `-5` is negative"),
        ("agent,BAKER,,2026-10,1", "line 2 is a budget of the same for the same month"),
    ],
)
def test_a_wrong_line_spoils_only_itself(line: str, reason: str) -> None:
    """It is named by file and line with the reason, and the lines around it are used."""
    found = budgets_of("agent,baker,,2026-10,1", line, "agent,baker,Bakery,2026-10,1")

    assert [budget.line for budget in found.records] == [2, 4]
    (problem,) = found.problems
    assert problem.startswith(f"finance/budgets.csv:3: {reason}")
    assert problem.endswith("; the line is not used")
