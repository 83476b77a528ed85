"""Closed months: those that are published, one of them, and the printed list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from analytics.errors import AnalyticsError, UsageError
from analytics.finance.books.entries import first_day
from analytics.finance.books.reading import CLOSINGS, read_books, require_known
from analytics.format import numbers
from analytics.query.published import open_published
from analytics.terminal import add_figures, console, escaped

if TYPE_CHECKING:
    from analytics.finance.books.entries import Closing, Recorded
    from analytics.finance.books.reading import Books, Known
    from analytics.warehouse.layout import Layout


def published_closings(layout: Layout) -> list[Known]:
    """Return the closings that the published file has, if it has any."""
    if not layout.published_file.exists():
        return []
    try:
        with open_published(layout.published_file) as con:
            return con.execute(f"{CLOSINGS} audit.closings").fetchall()
    except AnalyticsError:  # damaged, or of an older release: the books stand without it
        return []


def published_books(layout: Layout) -> Books:
    """Return the books; AnalyticsError if they are damaged, or lack a close that was published."""
    books = read_books(layout.books)
    require_known(books, published_closings(layout))
    return books


def closing_of(books: Books, month: str, revision: int | None) -> Recorded[Closing]:
    """Return a closing of a month (`2026-10`), the last one if none is named.

    UsageError if there is none.
    """
    try:
        found = books.revisions(first_day(month))
    except ValueError:
        raise UsageError(f"{month} is no month: write it as 2026-10.") from None
    if revision is not None:
        found = [each for each in found if each.entry.revision == revision]
    if not found:
        what = month if revision is None else f"revision {revision} of {month}"
        raise UsageError(f"The books hold no {what}.\n`analytics books` shows what they hold.")
    return found[-1]


def summaries(books: Books) -> list[dict[str, Any]]:
    """Return a record for each revision, in the order in which they were closed."""
    return [_summary(books, each) for each in books.closings]


def _summary(books: Books, closing: Recorded[Closing]) -> dict[str, Any]:
    entry = closing.entry
    reopening = books.reopening(closing)
    return {
        "month": entry.month,
        "revision": entry.revision,
        "status": "reopened" if reopening else "closed",
        "closed_at": entry.closed_at,
        "is_early": entry.is_early,
        "early_reasons": entry.early_reasons,
        "prepared_by": entry.prepared_by,
        "approved_by": entry.approved_by,
        "reopened_at": reopening and reopening.reopened_at,
        "reason": reopening and reopening.reason,
        "totals": entry.totals,
        "hash": closing.sha256,
    }


def print_closings(found: list[dict[str, Any]]) -> None:
    """Print a line for each revision."""
    from rich.table import Table

    table = Table(header_style="bold", box=None, pad_edge=False)
    rows = [
        (
            f"{each['month']} r{each['revision']}",
            each["status"] + (", early" if each["is_early"] else ""),
            _instant(each["closed_at"]),
            escaped(each["approved_by"] or ""),
            numbers.usd(each["totals"].metered_cost_usd),
            numbers.usd(each["totals"].billed_usd),
        )
        for each in found
    ]
    for head in ("Month", "State", "Closed (UTC)", "Approved by"):
        table.add_column(head, no_wrap=head != "Approved by", overflow="fold")
    add_figures(table, ("Metered cost", "Billed"), rows)
    for row in rows:
        table.add_row(*row)
    console(soft_wrap=True).print(table)


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
