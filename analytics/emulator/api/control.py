"""The emulator's own controls, without a key, because it listens on loopback only."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import Body, HTTPException, Request, Response

from analytics.emulator import serialize
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorld
from analytics.emulator.api.faults import Fault

if TYPE_CHECKING:
    from analytics.emulator.world import World

MOST_HOURS = 366 * 24

router = common.router()


@router.post("/pass-time")
async def pass_time(
    world: TheWorld, hours: Annotated[float, Body(embed=True, ge=0, le=MOST_HOURS)]
) -> Response:
    """Let time pass, a year at most."""
    world.pass_time(timedelta(hours=hours))
    return _state(world)


@router.post("/variants")
async def set_variants(world: TheWorld, fields: Annotated[dict[str, Any], Body()]) -> Response:
    """Change the named variants."""
    try:
        world.variants = world.variants.changed(fields)
    except msgspec.ValidationError as error:
        raise HTTPException(422, str(error)) from error
    return common.json(world.variants)


@router.post("/faults")
async def add_fault(request: Request, fields: Annotated[dict[str, Any], Body()]) -> Response:
    """Add a fault to the queue."""
    try:
        request.app.state.faults.extend([msgspec.convert(fields, Fault)])
    except (msgspec.ValidationError, re.error) as error:
        raise HTTPException(422, str(error)) from error
    return common.json({"pending": len(request.app.state.faults)})


@router.get("/faults")
async def list_faults(request: Request) -> Response:
    """Return the pending faults, oldest first."""
    return common.json(list(request.app.state.faults))


@router.delete("/faults")
async def clear_faults(request: Request) -> Response:
    """Remove all faults."""
    request.app.state.faults.clear()
    return common.json({"pending": 0})


@router.get("/state")
async def get_state(world: TheWorld) -> Response:
    """Return the current time, the variants and the number of records."""
    return _state(world)


def _state(world: World) -> Response:
    return common.json(
        {
            "now": serialize.instant(world.now),
            "variants": world.variants,
            "workspaces": [
                {
                    "workspace_id": workspace.id,
                    "workspace_name": workspace.name,
                    "agents": len(workspace.agents),
                    "runs": len(workspace.agent_runs),
                    "platform_runs": len(workspace.platform_runs),
                }
                for workspace in world.workspaces
            ],
        }
    )
