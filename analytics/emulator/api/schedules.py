"""Schedules of agents; these routes accept an agent's id only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

from cronsim import CronSimError
from fastapi import Body, HTTPException, Query, Response

from analytics.emulator import serialize
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_agent, invalid
from analytics.emulator.api.dispatch import Given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.emulator.records import Schedule, Workspace

LONGEST_LIST = 200

router = common.router()

Text = Annotated[str | None, Body()]


@router.get("/agents/{agent_id}/schedules")
async def list_schedules(
    workspace: TheWorkspace,
    agent_id: UUID,
    limit: Annotated[int, Query(ge=1, le=LONGEST_LIST)] = 50,
) -> Response:
    """Return an agent's schedules, newest first."""
    agent = find_agent(workspace, str(agent_id))
    found = [each for each in reversed(workspace.schedules.values()) if each.agent is agent]
    return common.json({"schedules": [_record(schedule) for schedule in found[:limit]]})


@router.post("/agents/{agent_id}/schedules")
async def create_schedule(
    world: TheWorld,
    workspace: TheWorkspace,
    agent_id: UUID,
    given: Given,
    cron_expr: Annotated[str, Body()],
    timezone: Annotated[str, Body()] = "UTC",
) -> Response:
    """Create a schedule that fires at each match of a cron expression from now on."""
    agent = find_agent(workspace, str(agent_id))
    with _checked(cron_expr, timezone):
        schedule = world.scheduler.create(agent, cron_expr, timezone, given)
    return common.json(_record(schedule), 201)


@router.get("/schedules/{schedule_id}")
async def get_schedule(workspace: TheWorkspace, schedule_id: UUID) -> Response:
    """Return a schedule."""
    return common.json(_record(_find(workspace, schedule_id)))


@router.patch("/schedules/{schedule_id}")
async def change_schedule(
    world: TheWorld,
    workspace: TheWorkspace,
    schedule_id: UUID,
    cron_expr: Text = None,
    timezone: Text = None,
    enabled: Annotated[bool | None, Body()] = None,
) -> Response:
    """Change the times of a schedule from now on, or enable or disable it."""
    schedule = _find(workspace, schedule_id)
    cron_expr = schedule.cron_expr if cron_expr is None else cron_expr
    timezone = schedule.timezone if timezone is None else timezone
    enabled = schedule.enabled if enabled is None else enabled
    with _checked(cron_expr, timezone):
        world.scheduler.change(schedule, cron_expr, timezone, enabled=enabled)
    return common.json(_record(schedule))


@router.delete("/schedules/{schedule_id}")
async def delete_schedule(world: TheWorld, workspace: TheWorkspace, schedule_id: UUID) -> Response:
    """Delete a schedule."""
    world.scheduler.delete(_find(workspace, schedule_id))
    return Response(status_code=204)


@contextmanager
def _checked(cron_expr: str, timezone: str) -> Iterator[None]:
    """Answer 422 to an invalid expression or an unknown time zone."""
    try:
        yield
    except CronSimError as error:
        raise invalid(["body", "cron_expr"], str(error), cron_expr) from error
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise invalid(["body", "timezone"], "there is no such time zone", timezone) from error


def _find(workspace: Workspace, schedule_id: UUID) -> Schedule:
    schedule = workspace.schedules.get(str(schedule_id))
    if schedule is None:
        raise HTTPException(404, "Schedule not found")
    return schedule


def _record(schedule: Schedule) -> dict[str, Any]:
    version = schedule.agent.active_version  # the one that its next run rides on
    return {
        "id": schedule.id,
        "agent_id": schedule.agent.id,
        "agent_version_id": version and version.id,
        "cron_expr": schedule.cron_expr,
        "timezone": schedule.timezone,
        "prompt": schedule.given.prompt,
        "initial_state": schedule.given.initial_state,
        "enabled": schedule.enabled,
        "next_fire_at": serialize.timestamp(schedule.next_fire_at),
        "last_fired_at": serialize.timestamp(schedule.last_fired_at),
        "last_run_id": schedule.last_run_id,
        "created_at": serialize.timestamp(schedule.created_at),
    }
