"""Snapshots of run lists, and the gaps between them.

A list holds the newest 200 runs and no older ones. A snapshot covers all runs from its oldest to
its newest row. It overlaps the previous snapshot of the same list if it contains that snapshot's
newest row, or an older one, or the whole list. Otherwise the list may never have shown the runs
between the two: a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from analytics.warehouse.run_lists import Watermark


class Row(msgspec.Struct, frozen=True, gc=False):
    """The fields of a listed run that snapshots compare, as the API sent them.

    A value that is not a string is None.
    """

    run_id: str
    agent_id: str | None
    created_at: str | None


class ListSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a list (`agent_id` None: the unfiltered one).

    `is_contiguous` is True if it overlaps the previous snapshot. If not, runs of an agent may be
    unlisted: from `unread_from`, the time of the newest row known before (None if there was none),
    to `unread_until`, the time of its oldest row.
    """

    agent_id: str | None
    pulled_at: datetime
    row_count: int
    newest_run_id: str | None
    newest_created_at: str | None
    oldest_created_at: str | None
    is_contiguous: bool
    unread_from: str | None = None
    unread_until: str | None = None


def overlaps(
    rows: Sequence[Row], watermark: Watermark | None, *, is_whole: bool, is_unfiltered: bool = False
) -> bool:
    """Return True if a snapshot overlaps the previous one, which ended at `watermark`.

    The unfiltered list must not end at the watermark's instant: other runs of it may follow, which
    agents' lists have.
    """
    if is_whole:
        return True
    if not rows or watermark is None or watermark.run_id is None:
        return False
    if _is_older(rows[-1], watermark):
        return True
    end = instant_of(watermark.created_at)
    ends_there = end is not None and end == instant_of(rows[-1].created_at)
    is_shown = any(row.run_id == watermark.run_id for row in rows)
    return is_shown and not (is_unfiltered and ends_there)


def _is_older(row: Row, watermark: Watermark) -> bool:
    """Return True if the row is older than the watermark, whose own run may have been deleted."""
    this, that = instant_of(row.created_at), instant_of(watermark.created_at)
    return this is not None and that is not None and this < that


def _first_time(rows: Iterable[Row]) -> str | None:
    """Return the first time that can be parsed."""
    return next((row.created_at for row in rows if instant_of(row.created_at)), None)


def instant_of(text: str | None) -> datetime | None:
    """Return the instant that a text is, in UTC unless it has an offset; None if it is none."""
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def take_snapshot(
    agent_id: str | None,
    rows: Sequence[Row],
    watermark: Watermark | None,
    *,
    is_whole: bool,
    pulled_at: datetime,
    since: Watermark | None = None,
) -> ListSnapshot:
    """Compare the rows of a list with its watermark; a gap begins at `since`, if it is behind it.

    The unfiltered list has no gap: if it does not overlap, each agent's list is read instead.
    """
    is_unfiltered = agent_id is None
    is_contiguous = overlaps(rows, watermark, is_whole=is_whole, is_unfiltered=is_unfiltered)
    has_gap = not is_contiguous and not is_unfiltered
    if rows and since and _is_older(rows[-1], since):
        since = None
    oldest = _first_time(reversed(rows))
    return ListSnapshot(
        agent_id=agent_id,
        pulled_at=pulled_at,
        row_count=len(rows),
        newest_run_id=rows[0].run_id if rows else None,
        newest_created_at=_first_time(rows),
        oldest_created_at=oldest,
        is_contiguous=is_contiguous,
        unread_from=since.created_at if has_gap and since else None,
        unread_until=oldest if has_gap else None,
    )


def refused_snapshot(agent_id: str, since: Watermark | None, asked_at: datetime) -> ListSnapshot:
    """Return the snapshot of a list that was refused: a gap, and the end of what is known."""
    return ListSnapshot(
        agent_id=agent_id,
        pulled_at=asked_at,
        row_count=0,
        newest_run_id=since.run_id if since else None,
        newest_created_at=since.created_at if since else None,
        oldest_created_at=None,
        is_contiguous=False,
        unread_from=since.created_at if since else None,
        unread_until=asked_at.isoformat(),
    )


def snapshots_by_agent(unfiltered: ListSnapshot, rows: Iterable[Row]) -> list[ListSnapshot]:
    """Return the snapshots of agents' lists that an overlapping unfiltered snapshot implies.

    It contains every run started since the last unfiltered snapshot, so each agent in it is covered
    up to its newest row there. Without these snapshots, an agent whose own list was last read weeks
    ago would have a gap although every batch covered it.
    """
    by_agent: dict[str, list[Row]] = {}
    for row in rows:
        if row.agent_id is not None:
            by_agent.setdefault(row.agent_id, []).append(row)
    return [
        ListSnapshot(
            agent_id=agent_id,
            pulled_at=unfiltered.pulled_at,
            row_count=len(own),
            newest_run_id=own[0].run_id,
            newest_created_at=_first_time(own),
            oldest_created_at=_first_time(reversed(own)),
            is_contiguous=True,
        )
        for agent_id, own in by_agent.items()
    ]
