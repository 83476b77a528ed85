"""Agents and their versions."""

from __future__ import annotations

from fastapi import Response

from analytics.emulator import serialize
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_agent

router = common.router()


@router.get("/agents/")
async def list_agents(world: TheWorld, workspace: TheWorkspace) -> Response:
    """Return every listed agent."""
    return common.json(
        [serialize.agent_record(world.lies, agent) for agent in workspace.agents.values()]
    )


@router.get("/agents/{agent_id}")
async def get_agent(world: TheWorld, workspace: TheWorkspace, agent_id: str) -> Response:
    """Return an agent by id or slug."""
    return common.json(serialize.agent_record(world.lies, find_agent(workspace, agent_id)))


@router.get("/agents/{agent_id}/versions")
async def list_versions(workspace: TheWorkspace, agent_id: str) -> Response:
    """Return every version of an agent, oldest first."""
    agent = find_agent(workspace, agent_id)
    return common.json([serialize.version_record(agent, version) for version in agent.versions])
