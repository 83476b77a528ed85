"""Session events.

Those of the planned history are made from its runs when they are asked for. As soon as somebody
talks to a session, its events are written down, so that what happens later only ever adds to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.emulator import texts, wire
from analytics.emulator.chance import seeded

if TYPE_CHECKING:
    from datetime import datetime

    from analytics.emulator.records import Run, Session

Events = list[dict[str, Any]]


def session_events(session: Session) -> Events:
    """Return what happened in a session, in order of `seq`, which counts from 1."""
    if session.events is not None:
        return session.events
    events: Events = []
    for run in session.runs:
        asked(events, run)
        if run.started_at:
            started(events, run)
        if run.finished_at:
            ended(events, run)
    return events


def keep(session: Session) -> Events:
    """Return the events that are written down from now on."""
    session.events = session_events(session)
    return session.events


def asked(events: Events, run: Run) -> None:
    """Add what was asked of a run, and whether by hand, on schedule or by an event."""
    add(events, run, run.created_at, "user_message", text=run.text, source=run.source)


def started(events: Events, run: Run) -> None:
    """Add that a run began to work."""
    add(events, run, run.started_at, "status", status="running")


def ended(events: Events, run: Run) -> None:
    """Add a run's answer, if it has one, and how it ended."""
    if run.status == "succeeded":
        answer = texts.thought(seeded("answer", run.id))
        add(events, run, run.finished_at, "assistant_message", text=answer)
    add(events, run, run.finished_at, "status", status=run.status)


def add(events: Events, run: Run, moment: datetime | None, kind: str, **more: object) -> None:
    """Add one event."""
    events.append(
        {
            "seq": len(events) + 1,
            "type": kind,
            "run_id": run.id,
            "created_at": wire.timestamp(moment),
            **more,
        }
    )
