"""Agents."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Body, Response
from pydantic import BaseModel, Field

from analytics.emulator import wire
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_agent
from analytics.emulator.orchestrator import RefusedError

router = common.router()


class AgentConfig(BaseModel):
    """The limits of an agent's runs, as far as they are to be changed."""

    max_budget: Annotated[Decimal | None, Field(gt=0)] = None
    timeout_minutes: Annotated[int | None, Field(ge=1)] = None
    notify_on_run: bool | None = None


@router.get("/agents/")
async def list_agents(world: TheWorld, workspace: TheWorkspace) -> Response:
    """Return every listed agent."""
    return common.raw(
        wire.array(wire.encode_agent(world, agent) for agent in workspace.agents.values())
    )


@router.get("/agents/{agent_id}")
async def get_agent(world: TheWorld, workspace: TheWorkspace, agent_id: str) -> Response:
    """Return an agent by id or slug."""
    return common.raw(wire.encode_agent(world, find_agent(workspace, agent_id)))


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
    """Rename, describe, pause, archive or limit an agent; what is not named stays."""
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
    return common.raw(wire.encode_agent(world, agent))
