"""A month as its files name it: its workspaces, its first day, its state, and its tables."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from analytics.errors import UsageError
from analytics.files import folder
from analytics.format.names import folded
from analytics.report.columns import default_label

if TYPE_CHECKING:
    import duckdb

AMOUNTS = ("billed_usd", "surcharge_usd", "own_key_usd", "metered_cost_usd")
"""Amounts of a line: metered cost + surcharge - own-key cost = billed, where that is known."""

JOURNAL = "journal"
"""The table that no query reads."""


@dataclass(frozen=True)
class Table:
    """A table of a month, as `queries/pack/tables.toml` declares it."""

    title: str
    empty: str
    sheet: str | None = None
    sums: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """Return the heading of a column."""
        of_ids = {"workspace_id": "Workspace ID", "agent_id": "Agent ID"}
        return self.labels.get(name) or of_ids.get(name) or default_label(name)


PACK = folder("queries") / "pack"
TABLES = {
    name: Table(**each)
    for name, each in tomllib.loads((PACK / "tables.toml").read_text(encoding="utf-8")).items()
}
"""The tables of a month, by name."""


def read_table(
    con: duckdb.DuckDBPyConnection, name: str, month: date, **given: Any
) -> pl.DataFrame:
    """Return the rows of a query of `queries/pack/` in a month, named by its first day."""
    sql = (PACK / f"{name}.sql").read_text(encoding="utf-8")
    params = {"month": month, **given} if "$month" in sql else None
    return pl.DataFrame(con.sql(sql, params=params))


def cut_off(con: duckdb.DuckDBPyConnection) -> datetime | None:
    """Return the time up to which all workspaces have data; None before the first batch."""
    ((moment,),) = con.execute("select min(last_batch_at) from marts.dim_workspaces").fetchall()
    return moment  # type: ignore[no-any-return]  # an instant or nothing, as the column says


def workspaces_called(con: duckdb.DuckDBPyConnection, workspace: str | None) -> list[str]:
    """Return all workspace ids, or the one with this name or id; UsageError if there is none."""
    rows = con.execute(
        "select workspace_id, workspace_name from marts.dim_workspaces order by 2, 1"
    ).fetchall()
    if workspace is None:
        return [identifier for identifier, _ in rows]
    found = [identifier for identifier, _ in rows if identifier == workspace] or [
        identifier for identifier, name in rows if folded(name) == folded(workspace)
    ]
    if not found:
        known = ", ".join(f"{name} ({identifier})" for identifier, name in rows) or "none"
        raise UsageError(f"There is no workspace {workspace}.\nThere are: {known}.")
    if len(found) > 1:
        raise UsageError(
            f"Several workspaces are called {workspace}.\nName one by its identifier: "
            f"{', '.join(found)}."
        )
    return found


def month_called(con: duckdb.DuckDBPyConnection, text: str) -> date:
    """Return the first day of a month (`2026-10`); UsageError if it has no figures."""
    months = con.execute("select distinct month from marts.dim_months order by month").fetchall()
    if not months:
        raise UsageError("No month has figures yet.\nRun `analytics nightly` first.")
    known = f"The first month with figures is {months[0][0]:%Y-%m}, the last {months[-1][0]:%Y-%m}."
    try:
        month = (
            date.fromisoformat(f"{text}-01") if re.fullmatch("[0-9]{4}-[0-9]{2}", text) else None
        )
    except ValueError:
        month = None
    if month is None:
        raise UsageError(f"{text} is no month: write it as 2026-10.\n{known}")
    if (month,) not in months:
        raise UsageError(f"There are no figures of {text}.\n{known}")
    return month


def status_of(con: duckdb.DuckDBPyConnection, month: date) -> str:
    """Return the least final status of the month among the workspaces."""
    rows = con.execute("select status from marts.dim_months where month = ?", [month]).fetchall()
    found = {status for (status,) in rows}
    return next(status for status in ("incomplete", "open", "final", "closed") if status in found)
