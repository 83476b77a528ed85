"""Agents."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from fastapi import Body, Response
from pydantic import BaseModel, Field

from analytics.emulator import serialize
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_agent
from analytics.emulator.records import RefusedError
from analytics.emulator.rng import new_id, seeded

if TYPE_CHECKING:
    from analytics.emulator.records import Workspace

router = common.router()


class AgentConfig(BaseModel):
    """Changes to the limits of an agent's runs."""

    max_budget: Annotated[Decimal | None, Field(gt=0, le=1_000_000)] = None
    timeout_minutes: Annotated[int | None, Field(ge=1, le=100_000)] = None
    notify_on_run: bool | None = None


@router.get("/agents/")
async def list_agents(world: TheWorld, workspace: TheWorkspace) -> Response:
    """Return every listed agent."""
    return common.json(
        [serialize.agent_record(world.lies, agent) for agent in workspace.agents.values()]
    )


@router.post("/agents/")
async def create_agent(
    world: TheWorld,
    workspace: TheWorkspace,
    name: Annotated[str, Body(min_length=1)],
    description: Annotated[str | None, Body()] = None,
    prompt: Annotated[str | None, Body(min_length=1)] = None,
) -> Response:
    """Add an agent; with a prompt, a first draft is built at once."""
    agent = world.draft_agent(workspace, name, _free_slug(workspace, name), description)
    version = world.draft_version(agent, None) if prompt else None
    run = world.builds.build(agent, version, prompt) if version and prompt else None
    record = {
        "agent": serialize.agent_record(world.lies, agent),
        "version": version and version.number,
        "run_id": run and run.id,
        "session_id": run and run.session.id,
    }
    return common.json(record, 201)


@router.get("/agents/{agent_id}")
async def get_agent(world: TheWorld, workspace: TheWorkspace, agent_id: str) -> Response:
    """Return an agent by id or slug."""
    return common.json(serialize.agent_record(world.lies, find_agent(workspace, agent_id)))


@router.patch("/agents/{agent_id}")
async def change_agent(
    world: TheWorld,
    workspace: TheWorkspace,
    agent_id: str,
    name: Annotated[str | None, Body(min_length=1)] = None,
    description: Annotated[str | None, Body()] = None,
    status: Annotated[Literal["active", "paused", "archived"] | None, Body()] = None,
    config: Annotated[AgentConfig | None, Body()] = None,
) -> Response:
    """Rename, describe, pause, archive or limit an agent; omitted fields keep their values."""
    agent = find_agent(workspace, agent_id)
    if status == "active" and agent.active_version is None:
        raise RefusedError("The agent has no active version; publish one")
    if status:
        world.set_agent_status(agent, status)
    if name:
        world.rename_agent(agent, name)
    changes = config.model_dump(exclude_none=True) if config else {}
    if description is not None:
        changes["description"] = description
    if changes:
        world.change_agent(agent, changes)
    return common.json(serialize.agent_record(world.lies, agent))


@router.post("/agents/{agent_id}/triggers")
async def create_trigger(
    world: TheWorld,
    workspace: TheWorkspace,
    agent_id: str,
    integration_id: Annotated[UUID, Body()],
    event_type: Annotated[str, Body(min_length=1)],
) -> Response:
    """Record that an event starts the agent; any integration is taken for one of GitHub."""
    agent = find_agent(workspace, agent_id)
    trigger_id = new_id(seeded("trigger", agent.id, integration_id, event_type))
    if trigger_id in agent.triggers:
        raise RefusedError("The agent has a trigger for this event of the integration")
    agent.triggers.add(trigger_id)
    version = agent.active_version
    record = {
        "id": trigger_id,
        "agent_id": agent.id,
        "integration_id": str(integration_id),
        "integration_provider": "github",
        "integration_display_name": "GitHub",
        "event_type": event_type,
        "enabled": True,
        "agent_version": version and version.number,
        "created_at": serialize.timestamp(world.now),
    }
    return common.json(record, 201)


def _free_slug(workspace: Workspace, name: str) -> str:
    """Return a slug derived from a name, unique in the workspace."""
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "agent"
    taken = {agent.slug for agent in workspace.agents.values()}
    slugs = (f"{base}-{n}" if n > 1 else base for n in count(1))
    return next(slug for slug in slugs if slug not in taken)
