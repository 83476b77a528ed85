"""Inbound webhooks of agents, and their public addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import Body, HTTPException, Request, Response

from analytics.emulator import serialize
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_agent, find_session, invalid
from analytics.emulator.records import RunInput

if TYPE_CHECKING:
    from analytics.emulator.records import Agent, Webhook, Workspace

router = common.router()


@router.post("/agents/{agent_id}/webhooks")
async def create_webhook(
    request: Request, world: TheWorld, workspace: TheWorkspace, agent_id: str
) -> Response:
    """Create an agent's webhook; this response alone has its URL."""
    agent = find_agent(workspace, agent_id)
    webhook, secret = world.webhooks.create(agent)
    return common.json(_record(request, agent, webhook, secret), 201)


@router.post("/agents/{agent_id}/webhooks/rotate")
async def rotate_webhook(
    request: Request, world: TheWorld, workspace: TheWorkspace, agent_id: str
) -> Response:
    """Replace a webhook's URL."""
    agent, webhook = _find(workspace, agent_id)
    secret = world.webhooks.rotate(webhook)
    return common.json(_record(request, agent, webhook, secret))


@router.delete("/agents/{agent_id}/webhooks")
async def delete_webhook(workspace: TheWorkspace, agent_id: str) -> Response:
    """Delete an agent's webhook."""
    agent, webhook = _find(workspace, agent_id)
    agent.webhook = None
    return common.json({"id": webhook.id, "status": "deleted"})


@router.post("/webhooks/{webhook_id}/{secret}")
async def receive(
    world: TheWorld, webhook_id: UUID, secret: str, event: Annotated[dict[str, Any], Body()]
) -> Response:
    """Start a run with the event, or a turn of the session that it names."""
    agent = world.webhooks.find(str(webhook_id), secret)
    if agent is None:
        raise HTTPException(404, "Webhook not found")
    given = RunInput(initial_state={key: event[key] for key in event if key != "session_id"})
    if "session_id" not in event:
        run = world.orchestrator.dispatch(agent, given, source="event-driven")
    else:
        session = find_session(agent.workspace, _uuid(event["session_id"]))
        if session.agent is not agent:
            raise HTTPException(404, "Session not found")
        run = world.orchestrator.continue_session(session, given, source="event-driven")
    return common.raw(serialize.encode_run(world.lies, run), 201)


def _find(workspace: Workspace, agent_id: str) -> tuple[Agent, Webhook]:
    agent = find_agent(workspace, agent_id)
    if agent.webhook is None:
        raise HTTPException(404, "The agent has no webhook")
    return agent, agent.webhook


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise invalid(["body", "session_id"], "this is no UUID", value) from error


def _record(request: Request, agent: Agent, webhook: Webhook, secret: str) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "agent_id": agent.id,
        "url": f"{request.base_url}api/v1/webhooks/{webhook.id}/{secret}",
        "created_at": serialize.timestamp(webhook.created_at),
    }
