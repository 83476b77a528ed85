"""How far a run list was read, and whether the reading joins the one before.

A list shows the newest 200 runs and nothing behind them. A pull of it covers all from its
oldest to its newest row. It joins the previous pull of the same list when it holds that pull's
newest row, reaches back behind it, or is the whole list. Otherwise runs may lie between the two
that nobody will ever list again: a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec


class Row(msgspec.Struct, frozen=True, gc=False):
    """What a list says of a run that matters for joining, as the API wrote it.

    What is no text is None.
    """

    run_id: str
    agent_id: str | None
    created_at: str | None


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest row of a list's last pull; `run_id` is None where the list was empty."""

    run_id: str | None
    created_at: str | None


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a list (`agent_id` None: the unfiltered one); a gap has both ends or one.

    `gap_before` is the oldest row's time where the pull does not join, `gap_after` the time of
    the newest row that was known before, None where nothing was.
    """

    agent_id: str | None
    pulled_at: datetime
    row_count: int
    newest_run_id: str | None
    newest_created_at: str | None
    oldest_created_at: str | None
    is_joined: bool
    gap_after: str | None = None
    gap_before: str | None = None


def joins(rows: Sequence[Row], mark: Mark | None, *, is_whole: bool) -> bool:
    """Tell whether a pull of a list joins the previous one, which ended at `mark`."""
    if is_whole:
        return True
    if not rows or mark is None or mark.run_id is None:
        return False
    return any(row.run_id == mark.run_id for row in rows) or _is_older(rows[-1], mark)


def _is_older(row: Row, mark: Mark) -> bool:
    """The marked run itself may have vanished; a row from before it is as good."""
    this, that = _instant(row.created_at), _instant(mark.created_at)
    return this is not None and that is not None and this < that


def _first_time(rows: Iterable[Row]) -> str | None:
    """The first time that can be read."""
    return next((row.created_at for row in rows if _instant(row.created_at)), None)


def _instant(text: str | None) -> datetime | None:
    """The instant that a text tells, which without an offset is one in UTC."""
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def pull(
    agent_id: str | None,
    rows: Sequence[Row],
    mark: Mark | None,
    *,
    is_whole: bool,
    pulled_at: datetime,
    since: Mark | None = None,
) -> Pull:
    """Judge a reading of a list against the one before it; a gap begins at `since`.

    The unfiltered list leaves no gap of its own: where it does not join, each agent's list is
    read, and those tell.
    """
    is_joined = joins(rows, mark, is_whole=is_whole)
    has_gap = not is_joined and agent_id is not None
    oldest = _first_time(reversed(rows))
    return Pull(
        agent_id=agent_id,
        pulled_at=pulled_at,
        row_count=len(rows),
        newest_run_id=rows[0].run_id if rows else None,
        newest_created_at=_first_time(rows),
        oldest_created_at=oldest,
        is_joined=is_joined,
        gap_after=since.created_at if has_gap and since else None,
        gap_before=oldest if has_gap else None,
    )


def pulls_by_agent(unfiltered: Pull, rows: Iterable[Row]) -> list[Pull]:
    """What a joined unfiltered pull proves of each agent's own list.

    It shows all that any agent started since the last unfiltered pull, so each list that it
    names is known up to its newest row there. Without this, an agent whose list was last read
    on its own weeks ago would seem to have a gap although every batch covered it.
    """
    by_agent: dict[str, list[Row]] = {}
    for row in rows:
        if row.agent_id is not None:
            by_agent.setdefault(row.agent_id, []).append(row)
    return [
        Pull(
            agent_id=agent_id,
            pulled_at=unfiltered.pulled_at,
            row_count=len(own),
            newest_run_id=own[0].run_id,
            newest_created_at=_first_time(own),
            oldest_created_at=_first_time(reversed(own)),
            is_joined=True,
        )
        for agent_id, own in by_agent.items()
    ]
