"""Frames of days as the models that compare days read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from analytics.transform.day_costs import AGENTS, DATES, DAYS

WORKSPACE = "w-1"
_KINDS: Mapping[str, Any] = {
    **dict.fromkeys(AGENTS, pl.String),
    **dict.fromkeys(("date", "last_batch_date", "last_complete_date"), pl.Date),
    **dict.fromkeys(("cost_usd", "unlisted_cost_usd"), pl.Decimal(38, 10)),
    "is_complete": pl.Boolean,
}


def _frame(names: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    schema = {name: _KINDS.get(name, pl.Int64) for name in names}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def span(first: date, last: date) -> list[date]:
    """Every date from the first to the last."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def day(
    on: date,
    cost: str | Decimal | int | None,
    runs: int = 1,
    *,
    agent: str = "a-1",
    workspace: str = WORKSPACE,
    unknown: int = 0,
    unlisted: str | None = "0",
) -> tuple[Any, ...]:
    """A row of fct_agent_days."""
    money = None if cost is None else Decimal(cost)
    unknown_days = int(agent == "(platform)" and cost is None)
    return workspace, agent, on, runs, money, unlisted and Decimal(unlisted), unknown, unknown_days


def agent_days(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """These rows."""
    return _frame(DAYS, rows)


def dates(complete: Iterable[date], workspace: str = WORKSPACE) -> pl.DataFrame:
    """The complete dates of a workspace, and the one after them, on which the last batch ran."""
    complete = sorted(complete)
    last = [(workspace, each + timedelta(days=1), False) for each in complete[-1:]]
    return _frame(DATES, [*((workspace, each, True) for each in complete), *last])


def agents(*names: str, workspace: str = WORKSPACE) -> pl.DataFrame:
    """Lines of a workspace, each named for its identifier."""
    return _frame(AGENTS, [(workspace, name, name) for name in names])


def workspaces(batches: Mapping[str, tuple[date | None, date | None]]) -> pl.DataFrame:
    """Workspaces with the day of their last batch and their last complete date."""
    names = ("workspace_id", "last_batch_date", "last_complete_date")
    return _frame(names, [(name, *each) for name, each in batches.items()])
