"""Frames of days as the models that compare days read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from analytics.transform.day_costs import DATES, DAYS, SCOPE

WORKSPACE = "w-1"
_MONEY = pl.Decimal(38, 10)
_DAYS_SCHEMA = dict(
    zip(
        DAYS,
        (pl.String, pl.String, pl.Date, pl.Int64, _MONEY, _MONEY, pl.Int64, pl.Int64),
        strict=True,
    )
)
_DATES_SCHEMA = dict(zip(DATES, (pl.String, pl.Date, pl.Boolean), strict=True))


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
    return pl.DataFrame(rows, schema=_DAYS_SCHEMA, orient="row")


def dates(complete: Iterable[date], workspace: str = WORKSPACE) -> pl.DataFrame:
    """The complete dates of a workspace, and the one after them, on which the last batch ran."""
    complete = sorted(complete)
    rows = [(workspace, each, True) for each in complete]
    if complete:
        rows.append((workspace, complete[-1] + timedelta(days=1), False))
    return pl.DataFrame(rows, schema=_DATES_SCHEMA, orient="row")


def agents(*names: str, workspace: str = WORKSPACE) -> pl.DataFrame:
    """Lines of a workspace."""
    rows = [(workspace, name) for name in names]
    return pl.DataFrame(rows, schema=dict.fromkeys(SCOPE, pl.String), orient="row")


def workspaces(
    batches: Mapping[str, tuple[date | None, date | None]],
) -> pl.DataFrame:
    """Workspaces with the day of their last batch and their last complete date."""
    rows = [(name, *each) for name, each in batches.items()]
    return pl.DataFrame(
        rows,
        schema={
            "workspace_id": pl.String,
            "last_batch_date": pl.Date,
            "last_complete_date": pl.Date,
        },
        orient="row",
    )
