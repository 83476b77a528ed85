"""Entries of the journal of a month, read from the published file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from analytics.errors import UsageError
from analytics.published.export.month import month_called, workspaces_called

if TYPE_CHECKING:
    import duckdb

NO_COST_CENTER = "(none)"
_LINES = """
    select
        month, entry_id, entry_date, kind, narration, reverses_entry_id, role, account, cost_center,
        usage_month, debit_usd - credit_usd as amount, memo
    from marts.fct_journal_lines
    where month between ? and ?
    order by month, entry_date, entry_id, line_number
"""
_MONTHS = """
    select month, bool_and(is_booked)
    from (
        select month, is_booked from marts.fct_accruals
        union all
        select month, is_booked from marts.fct_journal_lines
    )
    group by month
    order by month
"""


@dataclass(frozen=True)
class Line:
    """A line of an entry: its account, and its amount in US dollars, negative for a credit."""

    role: str
    account: str
    cost_center: str
    usage_month: date
    amount: Decimal
    memo: str


@dataclass(frozen=True)
class Entry:
    """An entry, whose lines add up to zero; `entry_id` is the same in every export."""

    month: date
    entry_id: str
    entry_date: date
    kind: str
    narration: str
    reverses_entry_id: str | None
    lines: Sequence[Line]


@dataclass(frozen=True)
class Journal:
    """The entries of a month, in the order of their days.

    `earlier` are those of the months of the books before it, which what is left of cents depends
    on. The entries of a month that is not closed are a preview; a close, which books them as they
    are, sets `is_booked` before it writes them.
    """

    month: date
    is_booked: bool
    entries: Sequence[Entry]
    earlier: Sequence[Entry]

    def narration(self, entry: Entry) -> str:
        """Return the text of an entry, which says that a preview is one."""
        return entry.narration if self.is_booked else f"PREVIEW: {entry.narration}"


def read_journal(con: duckdb.DuckDBPyConnection, month: str) -> Journal:
    """Read the journal of a month (`2026-10`); UsageError for a month that has none."""
    months = {f"{first_day:%Y-%m}": first_day for first_day in _months(con)}
    if month in months and (journal := find_journal(con, months[month])):
        return journal
    month_called(con, month, workspaces_called(con, None))
    if months and month < (first := min(months)):
        raise UsageError(f"There is no journal of {month}: the first one is that of {first}.")
    raise UsageError(f"There is no journal of {month}: nothing is billed in it.")


def find_journal(con: duckdb.DuckDBPyConnection, this: date) -> Journal | None:
    """Read the journal of a month, named by its first day; None if there is nothing to book."""
    months = _months(con)
    if this not in months:
        return None
    # Without books, a month stands alone.
    first = min(months) if any(months.values()) else this
    rows = con.execute(_LINES, [first, this]).fetchall()
    entries = []
    for _, group in groupby(rows, key=lambda row: row[:2]):
        lines = [*group]
        entry_month, entry_id, entry_date, kind, narration, reverses, *_ = lines[0]
        entries.append(
            Entry(
                entry_month,
                entry_id,
                entry_date,
                kind,
                narration,
                reverses,
                [Line(*line[6:]) for line in lines],
            )
        )
    return Journal(
        this,
        months[this],
        [entry for entry in entries if entry.month == this],
        [entry for entry in entries if entry.month < this],
    )


def _months(con: duckdb.DuckDBPyConnection) -> dict[date, bool]:
    """Return the months that have a journal, and whether they are closed."""
    return dict(con.execute(_MONTHS).fetchall())
