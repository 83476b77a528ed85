"""Closed months, printed: the list of them, one in full."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from analytics.errors import AnalyticsError, UsageError
from analytics.finance.books.entries import Closing, first_day
from analytics.format import numbers
from analytics.published.sandbox import open_published
from analytics.terminal import visible

if TYPE_CHECKING:
    from analytics.finance.books.entries import Recorded
    from analytics.finance.books.reading import Books
    from analytics.warehouse.layout import Layout


def published_closings(layout: Layout) -> list[tuple[date, int, str]]:
    """Return month, revision and hash of each closing in the published file, if it has any."""
    if not layout.published.exists():
        return []
    try:
        with open_published(layout.published) as con:
            return con.execute(
                "select month, revision, manifest_sha256 from audit.closings"
            ).fetchall()
    except AnalyticsError:  # damaged, or of an older release: the books stand without it
        return []


def closing_of(books: Books, month: str, revision: int | None = None) -> Recorded:
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
        raise UsageError(f"The books hold no {what}.\n`analytics books list` shows what they hold.")
    return found[-1]


def summaries(books: Books) -> list[dict[str, Any]]:
    """Return a record for each revision, in the order in which they were closed."""
    return [_summary(books, each) for each in books.entries if isinstance(each.entry, Closing)]


def details(books: Books, closing: Recorded) -> dict[str, Any]:
    """Return all that is known of a closing: its summary, workspaces and files."""
    entry = closing.entry
    assert isinstance(entry, Closing)  # noqa: S101
    return _summary(books, closing) | {
        "previous_sha256": entry.previous_sha256,
        "number": entry.number,
        "sign_off": entry.sign_off,
        "code_version": entry.code_version,
        "duckdb_version": entry.duckdb_version,
        "workspaces": entry.workspaces,
        "folder": str(closing.file.parent),
        "files": entry.files,
    }


def _summary(books: Books, closing: Recorded) -> dict[str, Any]:
    entry = closing.entry
    assert isinstance(entry, Closing)  # noqa: S101
    reopening = books.reopening(closing)
    return {
        "month": entry.month,
        "revision": entry.revision,
        "state": "reopened" if reopening else "closed",
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
    if not found:
        print("No month is closed.")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(header_style="bold", box=None, pad_edge=False)
    for head in ("Month", "Revision", "State", "Closed (UTC)", "Approved by", "Cost", "Billed"):
        is_number = head in ("Revision", "Cost", "Billed")
        table.add_column(head, justify="right" if is_number else "left", no_wrap=True)
    for each in found:
        table.add_row(
            each["month"],
            str(each["revision"]),
            each["state"] + (", early" if each["is_early"] else ""),
            _instant(each["closed_at"]),
            visible(each["approved_by"] or ""),
            numbers.usd(each["totals"].cost_usd),
            numbers.usd(each["totals"].billed_usd),
        )
    Console(highlight=False, soft_wrap=True, markup=False).print(table)


def print_details(found: dict[str, Any]) -> None:
    """Print a closing as text."""
    totals = found["totals"]
    lines = [
        f"{found['month']} revision {found['revision']}: {found['state']}",
        f"closed {_instant(found['closed_at'])} UTC by {found['prepared_by']}, "
        + (f"approved by {found['approved_by']}" if found["approved_by"] else "nobody approved"),
        *(f"closed early: {reason}" for reason in found["early_reasons"]),
    ]
    if found["reason"]:
        lines.append(f"reopened {_instant(found['reopened_at'])} UTC: {found['reason']}")
    lines += [
        f"cost {numbers.usd_exact(totals.cost_usd)}, billed {numbers.usd_exact(totals.billed_usd)},"
        f" surcharge {numbers.usd_exact(totals.surcharge_usd)},"
        f" own-key cost {numbers.usd_exact(totals.own_key_usd)} US dollars",
        f"hash {found['hash']}",
        f"in {found['folder']}:",
        *(f"  {name}  {stored.byte_count:,} bytes" for name, stored in found["files"].items()),
    ]
    for line in lines:
        print(visible(line))


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
