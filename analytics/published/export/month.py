"""The statement of a month: its lines, their total, and the meaning of each term."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from analytics.errors import UsageError
from analytics.format.names import folded
from analytics.published.export.definitions import Definition, definitions
from analytics.published.export.month_tables import AMOUNTS

if TYPE_CHECKING:
    import duckdb
    import polars as pl

# The sum of no rows is 0; the sum of rows with unknown amounts only is unknown.
_STATEMENT = """
    with lines as (
        select strftime(month, '%Y-%m') as month, * exclude (month)
        from marts.fct_agent_owner_months
        where month = $month and list_contains($workspace_ids, workspace_id)
    ),
    statement as (
        select *
        from lines
        union all by name
        select
            $month[:7] as month,
            'total' as line_type,
            'Total' as agent_name,
            $status as status,
            marts.failure_rate(sum(failed_count), sum(succeeded_count)) as failure_rate,
            {sums}
        from lines
    )
    select {columns}
    from statement
    order by line_type = 'total', workspace_name, workspace_id,
        list_position(['agent', 'no_agent', 'platform'], line_type), agent_name, agent_id,
        owner, cost_center
"""
_NAMES = (
    "month", "status", "workspace_name", "agent_name", "line_type", "owner", "cost_center",
)  # fmt: skip
_OUTCOMES = ("run_count", "succeeded_count", "failed_count", "cancelled_count", "open_count")
_COSTS = (
    "cost_usd", "listed_cost_usd", "unlisted_cost_usd", "failed_cost_usd", "failed_cost_high_usd",
    "adjusted_cost_usd",
)  # fmt: skip
_OTHER_COUNTS = (
    "tokens_in", "tokens_out", "listed_run_count", "unlisted_run_count", "unlisted_failed_count",
    "unknown_cost_count", "unknown_platform_count", "adjusted_run_count",
)  # fmt: skip
_COLUMNS = (
    *_NAMES, *AMOUNTS, *_COSTS, *_OUTCOMES, "failure_rate", *_OTHER_COUNTS, "workspace_id",
    "agent_id",
)  # fmt: skip

_NOT_APPROVED = "closed; today's figures, not approved"
_TODAY = Definition(
    "Not the figures of the books",
    "",
    "The month is closed. These are today's figures, which no close has frozen and nobody has "
    "approved: those that were booked, and what has changed since, which the next open month books "
    "as adjustments. Without --live the export is that of the books.",
)


@dataclass(frozen=True)
class Statement:
    """The lines of a month as written to files; money as exact decimals, in US dollars.

    Null is unknown. Lines for people end with their total; others are for programs.
    """

    month: date
    cut_off: datetime | None
    lines: pl.DataFrame
    definitions: list[Definition]
    is_for_people: bool = True


def read_month(con: duckdb.DuckDBPyConnection, month: str, workspace: str | None) -> Statement:
    """Read the statement of a month (`2026-10`) as it is today, of all workspaces or of one.

    Of a closed month, its status and definitions say that these figures are not those of the books.
    UsageError for an unknown workspace, and for a month without figures.
    """
    import polars as pl

    workspace_ids = workspaces_called(con, workspace)
    first = month_called(con, month, workspace_ids)
    sums = [f"{_sum_of(name)}::decimal(38, 10) as {name}" for name in (*AMOUNTS, *_COSTS)]
    sums += [f"{_sum_of(name)}::bigint as {name}" for name in (*_OUTCOMES, *_OTHER_COUNTS)]
    sql = _STATEMENT.format(sums=", ".join(sums), columns=", ".join(_COLUMNS))
    status = status_of(con, first, workspace_ids)
    parameters = {"month": str(first), "workspace_ids": workspace_ids, "status": status}
    lines = pl.DataFrame(con.sql(sql, params=parameters))
    meanings = definitions(con, first, workspace_ids, lines.columns)
    if status == "closed":
        lines = lines.with_columns(pl.lit(_NOT_APPROVED).alias("status"))
        meanings = [_TODAY, *meanings]
    return Statement(first, cut_off(con, workspace_ids), lines, meanings)


def _sum_of(name: str) -> str:
    """The sum over lines, 0 over none; of an upper bound, null where a line has none."""
    total = f"sum({name})"
    if name == "failed_cost_high_usd":
        unbounded = f"coalesce(unlisted_failed_count > 0, true) and {name} is null"
        total = f"if(count(*) filter ({unbounded}) = 0, {total}, null)"
    return f"if(count(*) = 0, 0, {total})"


def cut_off(con: duckdb.DuckDBPyConnection, workspace_ids: list[str]) -> datetime | None:
    """Return the time up to which all these workspaces have data; None before the first batch."""
    ((moment,),) = con.execute(
        "select min(last_batch_at) from marts.dim_workspaces where list_contains(?, workspace_id)",
        [workspace_ids],
    ).fetchall()
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


def month_called(con: duckdb.DuckDBPyConnection, text: str, workspace_ids: list[str]) -> date:
    """Return the first day of a month; UsageError if it has no figures."""
    months = con.execute(
        "select distinct month from marts.dim_months where list_contains(?, workspace_id)"
        " order by month",
        [workspace_ids],
    ).fetchall()
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


def status_of(con: duckdb.DuckDBPyConnection, month: date, workspace_ids: list[str]) -> str:
    """Return the least final status of the month among the workspaces."""
    rows = con.execute(
        "select status from marts.dim_months where month = ? and list_contains(?, workspace_id)",
        [month, workspace_ids],
    ).fetchall()
    found = {status for (status,) in rows}
    return next(status for status in ("open", "incomplete", "final", "closed") if status in found)
