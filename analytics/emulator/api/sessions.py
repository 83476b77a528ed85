"""Sessions and their timelines."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import HTTPException, Response

from analytics.emulator import logs, wire
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld

if TYPE_CHECKING:
    from analytics.emulator.records import Session, Workspace

router = common.router()


@router.get("/sessions/{session_id}")
async def get_session(
    world: TheWorld, workspace: TheWorkspace, session_id: UUID, since: int = 0
) -> Response:
    """Return a session with its events after a `seq`."""
    session = _find(workspace, session_id)
    return common.json(wire.session_record(session, world.now, _events(session, since)))


@router.get("/sessions/{session_id}/events")
async def list_session_events(
    workspace: TheWorkspace, session_id: UUID, since: int = 0
) -> Response:
    """Return a session's events after a `seq`."""
    return common.json({"events": _events(_find(workspace, session_id), since)})


def _events(session: Session, since: int) -> list[dict[str, object]]:
    return [event for event in logs.session_events(session) if event["seq"] > since]


def _find(workspace: Workspace, session_id: UUID) -> Session:
    session = workspace.sessions.get(str(session_id))
    if session is None:
        raise HTTPException(404, "Session not found")
    return session
