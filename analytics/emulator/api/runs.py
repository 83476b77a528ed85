"""Runs, and the records of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import HTTPException, Query, Request, Response

from analytics.emulator import serialize
from analytics.emulator.aggregates import daily_counts
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_run
from analytics.emulator.records import RunList
from analytics.emulator.runs import artifacts, logs

if TYPE_CHECKING:
    from analytics.emulator.records import Workspace
    from analytics.emulator.world import World

PAGE_CAP = 200

router = common.router()

Limit = Annotated[int, Query(ge=1)]


@router.get("/runs/")
async def list_runs(
    request: Request,
    world: TheWorld,
    workspace: TheWorkspace,
    limit: Limit = 50,
    agent_id: UUID | None = None,
) -> Response:
    """Return the newest runs of the workspace or of one agent."""
    runs = workspace.agent_runs
    if agent_id is not None:
        runs = workspace.runs_by_agent.get(str(agent_id)) or RunList()
    return _page(request, world, workspace, runs, limit)


@router.get("/runs/daily")
async def count_runs_by_day(
    world: TheWorld,
    workspace: TheWorkspace,
    agent_id: UUID,
    days: Annotated[int, Query(ge=1, le=90)] = 7,
) -> Response:
    """Return an agent's runs by UTC day of creation and status."""
    counts = daily_counts(workspace, str(agent_id), days, world.now)
    return common.json_records(world, "run_counts", counts, workspace, agent_id=str(agent_id))


@router.get("/runs/{run_id}")
async def get_run(world: TheWorld, workspace: TheWorkspace, run_id: UUID) -> Response:
    """Return a run, of an agent or of the platform."""
    return common.raw(serialize.encode_run(world.lies, find_run(workspace, run_id)))


@router.get("/runs/{run_id}/log")
async def get_log_address(
    request: Request, world: TheWorld, workspace: TheWorkspace, run_id: UUID
) -> Response:
    """Return the address of the log of an ended run."""
    run = find_run(workspace, run_id)
    if run.is_open:
        raise HTTPException(404, "Log is not available until the run finishes")
    return common.address(request, world, f"/files/runs/{run.id}/log")


@router.get("/runs/{run_id}/log/events")
async def list_log_events(
    world: TheWorld,
    workspace: TheWorkspace,
    run_id: UUID,
    since: int = 0,
    limit: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Return a run's signal-level log events after a `seq`."""
    run = find_run(workspace, run_id)
    if run.is_open and not world.variants.open_run_events:
        raise HTTPException(404, "Log is not available until the run finishes")
    events = [event for event in logs.log_events(run) if event["seq"] > since]
    return common.json({"events": events[:limit]})


@router.get("/runs/{run_id}/artifacts")
async def list_artifacts(workspace: TheWorkspace, run_id: UUID) -> Response:
    """Return the files that a run published."""
    return common.json(artifacts.listing(find_run(workspace, run_id)))


@router.get("/runs/{run_id}/artifacts/{key:path}/url")
async def get_artifact_address(
    request: Request, world: TheWorld, workspace: TheWorkspace, run_id: UUID, key: str
) -> Response:
    """Return the address of a file."""
    run = find_run(workspace, run_id)
    if artifacts.find(run, key) is None:
        raise HTTPException(404, "Artifact not found")
    return common.address(request, world, f"/files/runs/{run.id}/artifacts/{quote(key, safe='')}")


def _page(
    request: Request, world: World, workspace: Workspace, runs: RunList, limit: int
) -> Response:
    size = min(limit, PAGE_CAP)
    if not world.variants.next_links:
        return common.raw(serialize.encode_runs(world.lies, runs.newest(size)))
    before = workspace.runs.get(request.query_params.get("before", ""))
    page = runs.newest(size, before)
    response = common.raw(serialize.encode_runs(world.lies, page))
    if len(page) == size:
        url = request.url.include_query_params(before=page[-1].id)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response
