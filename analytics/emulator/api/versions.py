"""Versions of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from fastapi import Body, HTTPException, Response

from analytics.emulator import serialize
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_agent, find_version

if TYPE_CHECKING:
    from analytics.emulator.records import Agent, Run, Version
    from analytics.emulator.world import World

router = common.router()

Status = Annotated[Literal["active", "archived"], Body(embed=True)]


@router.get("/agents/{agent_id}/versions")
async def list_versions(workspace: TheWorkspace, agent_id: str) -> Response:
    """Return every version of an agent, oldest first."""
    agent = find_agent(workspace, agent_id)
    return common.json([serialize.version_record(agent, version) for version in agent.versions])


@router.post("/agents/{agent_id}/versions")
async def create_version(
    world: TheWorld,
    workspace: TheWorkspace,
    agent_id: str,
    parent_version: Annotated[int | None, Body()] = None,
    description: Annotated[str | None, Body()] = None,
) -> Response:
    """Branch a draft from the latest version, or from the named one."""
    agent = find_agent(workspace, agent_id)
    latest = agent.versions[-1] if agent.versions else None
    parent = latest if parent_version is None else find_version(agent, parent_version)
    version = world.draft_version(agent, parent, description)
    return common.json(serialize.version_record(agent, version), 201)


@router.get("/agents/{agent_id}/drafts")
async def list_drafts(workspace: TheWorkspace, agent_id: str) -> Response:
    """Return an agent's drafts, newest first; no issue caused them."""
    drafts: list[dict[str, Any]] = [
        {
            "version_id": version.id,
            "version": version.number,
            "parent_version": version.parent,
            "created_at": serialize.timestamp(version.created_at),
            "issues": [],
        }
        for version in reversed(find_agent(workspace, agent_id).versions)
        if version.status == "draft"
    ]
    return common.json({"drafts": drafts})


@router.get("/agents/{agent_id}/versions/{version}/source")
async def get_source(workspace: TheWorkspace, agent_id: str, version: int) -> Response:
    """Return the location of a version's recipe, a made-up one."""
    agent = find_agent(workspace, agent_id)
    branch = f"v{find_version(agent, version).number}"
    return common.json({"remote": f"https://git.example/{agent.id}.git", "branch": branch})


@router.get("/agents/{agent_id}/versions/{version}/review-threads")
async def list_review_threads(workspace: TheWorkspace, agent_id: str, version: int) -> Response:
    """Return the threads of a version's reviewers; nobody reviews here."""
    find_version(find_agent(workspace, agent_id), version)
    return common.json([])


@router.post("/agents/{agent_id}/versions/{version}/build")
async def build_version(
    world: TheWorld,
    workspace: TheWorkspace,
    agent_id: str,
    version: int,
    prompt: Annotated[str, Body(embed=True, min_length=1)],
) -> Response:
    """Build a draft, in a run of the platform."""
    agent = find_agent(workspace, agent_id)
    found = find_version(agent, version)
    return _started(agent, found, world.builds.build(agent, found, prompt))


@router.post("/agents/{agent_id}/versions/{version}/verify")
async def verify_version(
    world: TheWorld,
    workspace: TheWorkspace,
    agent_id: str,
    version: int,
    publish: Annotated[bool, Body(embed=True)] = False,
) -> Response:
    """Verify a version in a run of the platform, and publish it afterwards if requested."""
    agent = find_agent(workspace, agent_id)
    found = find_version(agent, version)
    return _started(agent, found, world.builds.verify(agent, found, publish=publish))


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
    if status == "active":
        world.builds.publish(agent, version)
    else:
        world.set_version_status(agent, version, status)
    return common.json(serialize.version_record(agent, version))


def _started(agent: Agent, version: Version, run: Run) -> Response:
    record = {
        "run_id": run.id,
        "session_id": run.session.id,
        "agent_id": agent.id,
        "version": version.number,
        "status": run.status,
        "created_at": serialize.timestamp(run.created_at),
    }
    return common.json(record, 201)
