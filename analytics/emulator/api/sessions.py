"""Sessions and their timelines."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import Response

from analytics.emulator import serialize
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_session
from analytics.emulator.api.dispatch import Given
from analytics.emulator.runs import timeline

if TYPE_CHECKING:
    from analytics.emulator.records import Session

router = common.router()


@router.get("/sessions/{session_id}")
async def get_session(
    world: TheWorld, workspace: TheWorkspace, session_id: UUID, since: int = 0
) -> Response:
    """Return a session with its events after a `seq`."""
    session = find_session(workspace, session_id)
    return common.json(serialize.session_record(session, world.now, _events(session, since)))


@router.get("/sessions/{session_id}/events")
async def list_session_events(
    workspace: TheWorkspace, session_id: UUID, since: int = 0
) -> Response:
    """Return a session's events after a `seq`."""
    return common.json({"events": _events(find_session(workspace, session_id), since)})


@router.post("/sessions/{session_id}/messages")
async def send_message(
    world: TheWorld, workspace: TheWorkspace, session_id: UUID, given: Given
) -> Response:
    """Add a message to a session, which starts another run, and return the new event alone."""
    session = find_session(workspace, session_id)
    world.orchestrator.continue_session(session, given)
    return common.json(serialize.session_record(session, world.now, timeline.keep(session)[-1:]))


@router.post("/sessions/{session_id}/cancel")
async def cancel(world: TheWorld, workspace: TheWorkspace, session_id: UUID) -> Response:
    """Interrupt the runs of a session and terminate it; its events stay readable."""
    session = find_session(workspace, session_id)
    world.orchestrator.cancel(session)
    return common.json(serialize.session_record(session, world.now, []))


def _events(session: Session, since: int) -> list[dict[str, object]]:
    return [event for event in timeline.session_events(session) if event["seq"] > since]
