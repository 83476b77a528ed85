"""Agents."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Body, Response
from pydantic import BaseModel, Field

from analytics.emulator import serialize
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_agent
from analytics.emulator.records import RefusedError

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


def _free_slug(workspace: Workspace, name: str) -> str:
    """Return a slug derived from a name, unique in the workspace."""
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "agent"
    taken = {agent.slug for agent in workspace.agents.values()}
    slugs = (f"{base}-{n}" if n > 1 else base for n in count(1))
    return next(slug for slug in slugs if slug not in taken)
