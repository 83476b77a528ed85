"""The journal of a month in whole cents, in the layouts that NetSuite and Xero import.

An amount is rounded as in `cents`. Identifiers are the same in every export of a closed month, so
that NetSuite refuses an entry that it has, and a person sees it in Xero, which begins its narration
with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from analytics.errors import UsageError
from analytics.format.names import NONE
from analytics.published.export.cents import in_cents
from analytics.published.export.entries import Entry, Journal, Line

NETSUITE = (
    "External ID",
    "Date",
    "Posting Period",
    "Currency",
    "Memo",
    "Journal Entry - Line: Account",
    "Journal Entry - Line: Debit",
    "Journal Entry - Line: Credit",
    "Journal Entry - Line: Department",
    "Journal Entry - Line: Memo",
)
XERO = (
    "*Narration",
    "*Date",
    "Description",
    "*AccountCode",
    "*TaxRate",
    "*Amount",
    "TrackingName1",
    "TrackingOption1",
    "TrackingName2",
    "TrackingOption2",
)
XERO_LINES = 300
"""The most lines of a file that Xero imports."""

_TAX_RATE = "Tax Exempt"
_TRACKING = "Cost center"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_LARGEST = Decimal(10) ** 10

Row: TypeAlias = tuple[object, ...]


def netsuite(journal: Journal) -> list[Row]:
    """Return the rows for NetSuite's import of journal entries.

    UsageError for an amount of more than ten digits before the point, which it refuses.
    """
    period = f"{_MONTHS[journal.month.month - 1]} {journal.month.year}"
    rows: list[Row] = []
    for entry in _in_cents(journal):
        day = entry.entry_date
        for line in entry.lines:
            if abs(line.amount) >= _LARGEST:
                raise UsageError(
                    f"{entry.entry_id} has an amount of {line.amount:f}, which NetSuite refuses:"
                    " it takes ten digits before the point.\nExport the journal as csv."
                )
            rows.append(
                (
                    entry.entry_id,
                    f"{day.month}/{day.day}/{day.year}",
                    period,
                    "USD",
                    entry.narration,
                    line.account,
                    line.amount if line.amount > 0 else "",
                    -line.amount if line.amount < 0 else "",
                    _cost_center(line),
                    line.memo,
                )
            )
    return rows


def xero(journal: Journal) -> list[list[Row]]:
    """Return the rows of each file for Xero's import of manual journals; an entry is in one file.

    An entry of more lines than a file may hold is several, each balanced at its last account.
    """
    files: list[list[Row]] = [[]]
    for whole in _in_cents(journal):
        parts = _split(whole)
        for number, entry in enumerate(parts, start=1):
            of = f" ({number} of {len(parts)})" if len(parts) > 1 else ""
            narration = f"{entry.entry_id}{of} {entry.narration}"
            if files[-1] and len(files[-1]) + len(entry.lines) > XERO_LINES:
                files.append([])
            files[-1] += [_xero_row(narration, entry, line) for line in entry.lines]
    return files


def _xero_row(narration: str, entry: Entry, line: Line) -> Row:
    cost_center = _cost_center(line)
    return (
        narration,
        f"{entry.entry_date:%d/%m/%Y}",
        line.memo,
        line.account,
        _TAX_RATE,
        line.amount,
        _TRACKING if cost_center else "",
        cost_center,
        "",
        "",
    )


def _split(entry: Entry) -> Sequence[Entry]:
    """Return an entry in parts that a file can hold; what they owe each other adds up to zero."""
    if len(entry.lines) <= XERO_LINES:
        return [entry]
    last = entry.lines[-1]
    size = XERO_LINES - 1
    parts = []
    for start in range(0, len(entry.lines), size):
        lines = [*entry.lines[start : start + size]]
        owed = -sum((line.amount for line in lines), Decimal())
        if owed:
            memo = f"{last.memo}, owed among the parts of {entry.entry_id}"
            lines.append(replace(last, amount=owed, memo=memo))
        parts.append(replace(entry, lines=lines))
    return parts


def _in_cents(journal: Journal) -> Iterator[Entry]:
    entries = in_cents([*journal.earlier, *journal.entries])
    return journal.exported(entry for entry in entries if entry.month == journal.month)


def _cost_center(line: Line) -> str:
    return "" if line.cost_center == NONE else line.cost_center
