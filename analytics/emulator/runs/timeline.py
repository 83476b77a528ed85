"""Session events.

Events of planned runs are generated on request. From the first message sent to a session on, its
events are stored, so that later ones are only appended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.emulator import serialize, texts
from analytics.emulator.rng import seeded

if TYPE_CHECKING:
    from datetime import datetime

    from analytics.emulator.records import Run, Session

Events = list[dict[str, Any]]


def session_events(session: Session) -> Events:
    """Return the events of a session, in order of `seq`, which counts from 1."""
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
    """Return the stored events, and store them from now on."""
    session.events = session_events(session)
    return session.events


def asked(events: Events, run: Run) -> None:
    """Append the input of a run, and its trigger: by hand, schedule or event."""
    add(events, run, run.created_at, "user_message", text=run.text, source=run.source)


def started(events: Events, run: Run) -> None:
    """Append the start of a run."""
    add(events, run, run.started_at, "status", status="running")


def ended(events: Events, run: Run) -> None:
    """Append a run's answer, if it has one, and its final status."""
    if run.status == "succeeded":
        answer = texts.thought(seeded("answer", run.id))
        add(events, run, run.finished_at, "assistant_message", text=answer)
    add(events, run, run.finished_at, "status", status=run.status)


def add(events: Events, run: Run, moment: datetime | None, kind: str, **more: object) -> None:
    """Append one event."""
    events.append(
        {
            "seq": len(events) + 1,
            "type": kind,
            "run_id": run.id,
            "created_at": serialize.timestamp(moment),
            **more,
        }
    )
