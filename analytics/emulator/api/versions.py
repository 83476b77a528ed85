"""Versions of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from fastapi import Body, HTTPException, Response

from analytics.emulator import wire
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_agent, find_version

if TYPE_CHECKING:
    from analytics.emulator.records import Agent, Version
    from analytics.emulator.world import World

router = common.router()

Status = Annotated[Literal["active", "archived"], Body(embed=True)]


@router.get("/agents/{agent_id}/versions")
async def list_versions(workspace: TheWorkspace, agent_id: str) -> Response:
    """Return every version of an agent, oldest first."""
    agent = find_agent(workspace, agent_id)
    return common.json([wire.version_record(agent, version) for version in agent.versions])


@router.post("/agents/{agent_id}/versions")
async def create_version(
    world: TheWorld,
    workspace: TheWorkspace,
    agent_id: str,
    parent_version: Annotated[int | None, Body(embed=True)] = None,
) -> Response:
    """Branch a draft from the latest version, or from the one that is named."""
    agent = find_agent(workspace, agent_id)
    latest = agent.versions[-1] if agent.versions else None
    parent = latest if parent_version is None else find_version(agent, parent_version)
    return common.json(wire.version_record(agent, world.draft_version(agent, parent)), 201)


@router.patch("/agents/{agent_id}/versions/{version}")
async def change_version(
    world: TheWorld, workspace: TheWorkspace, agent_id: str, version: int, status: Status
) -> Response:
    """Publish a version, roll back to it, or archive it."""
    agent = find_agent(workspace, agent_id)
    return _change(world, agent, find_version(agent, version), status)


@router.patch("/versions/{version_id}")
async def change_version_by_id(
    world: TheWorld, workspace: TheWorkspace, version_id: UUID, status: Status
) -> Response:
    """Do the same by the version's own id."""
    for agent in workspace.agents.values():
        for version in agent.versions:
            if version.id == str(version_id):
                return _change(world, agent, version, status)
    raise HTTPException(404, "Version not found")


def _change(
    world: World, agent: Agent, version: Version, status: Literal["active", "archived"]
) -> Response:
    world.set_version_status(agent, version, status)
    return common.json(wire.version_record(agent, version))
