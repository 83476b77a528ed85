"""A month as its files name it: its workspaces, its first day, and its state."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from analytics.errors import UsageError
from analytics.format.names import folded

if TYPE_CHECKING:
    import duckdb


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
