"""Entries of the journal of a month, read from the published file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from analytics.errors import UsageError
from analytics.export.month import month_called, workspaces_called
from analytics.transform.cents import Entry, entries_of

if TYPE_CHECKING:
    import duckdb

_LINES = """
    select
        booked_month, entry_id, revision, is_booked, workspace_id, workspace_name, entry_date, kind,
        narration, reverses_entry_id, role, account, cost_center, usage_month,
        debit_usd - credit_usd as amount, booked_usd, memo
    from marts.fct_journal_lines
    join marts.dim_workspaces using (workspace_id)
    where
        booked_month = $month
        and coalesce(list_contains($workspace_ids, workspace_id), true)
    order by entry_date, entry_id, line_number
"""
_MONTHS = """
    select booked_month, bool_and(is_booked)
    from (
        select booked_month, is_booked from marts.fct_accruals
        union all
        select booked_month, is_booked from marts.fct_journal_lines
    )
    group by booked_month
    order by booked_month
"""


@dataclass(frozen=True)
class Journal:
    """The entries of a month, in the order of their days.

    The entries of a month that is not closed are a preview; a close, which books them as they
    are, sets `is_booked` before it writes them; `early_reasons` are those of the close. With
    `is_reversed`, exports take them back.
    """

    month: date
    is_booked: bool
    entries: Sequence[Entry]
    is_reversed: bool = False
    early_reasons: Sequence[str] = ()

    @property
    def state(self) -> str:
        """The state of the entries: closed, closed early, preview, or reversed."""
        if self.is_reversed:
            return "reversed"
        if not self.is_booked:
            return "preview"
        return "closed early" if self.early_reasons else "closed"


def read_journal(
    con: duckdb.DuckDBPyConnection, month: str, workspace: str | None = None
) -> Journal:
    """Read the journal of a month (`2026-10`), of all workspaces or of the one with this name.

    UsageError for a month that has none, and for an unknown workspace.
    """
    months = {f"{first_day:%Y-%m}": first_day for first_day in _months(con)}
    workspace_ids = None if workspace is None else workspaces_called(con, workspace)
    if month in months and (journal := find_journal(con, months[month], workspace_ids)):
        return journal
    month_called(con, month)
    if months and month < (first := min(months)):
        raise UsageError(f"There is no journal of {month}: the first one is that of {first}.")
    raise UsageError(f"There is no journal of {month}: nothing is billed in it.")


def find_journal(
    con: duckdb.DuckDBPyConnection, this: date, workspace_ids: Sequence[str] | None
) -> Journal | None:
    """Read the journal of a month, named by its first day; None if there is nothing to book.

    Of all workspaces if none are named.
    """
    months = _months(con)
    if this not in months:
        return None
    given = {"month": this, "workspace_ids": workspace_ids}
    return Journal(this, months[this], entries_of(con.execute(_LINES, given).fetchall()))


def _months(con: duckdb.DuckDBPyConnection) -> dict[date, bool]:
    """Return the months that have a journal, and whether they are closed."""
    return dict(con.execute(_MONTHS).fetchall())
