"""Triggered runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Depends, Response

from analytics.emulator import serialize
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_agent, find_version, invalid
from analytics.emulator.records import RunInput

router = common.router()


async def given(
    prompt: Annotated[str | None, Body(min_length=1)] = None,
    initial_state: Annotated[dict[str, Any] | None, Body()] = None,
) -> RunInput:
    """Return the input of a run, or answer 422 unless it is a prompt or a state."""
    body = {"prompt": prompt, "initial_state": initial_state}
    if (prompt is None) == (initial_state is None):
        raise invalid(["body"], "give either prompt or initial_state", body)
    return RunInput(prompt, initial_state)


Given = Annotated[RunInput, Depends(given)]


@router.post("/agents/{agent_id}/runs")
async def create_run(
    world: TheWorld, workspace: TheWorkspace, agent_id: str, given: Given
) -> Response:
    """Queue a run of the agent's active version."""
    run = world.orchestrator.dispatch(find_agent(workspace, agent_id), given)
    return common.raw(serialize.encode_run(world.lies, run), 201)


@router.post("/agents/{agent_id}/versions/{version}/runs")
async def create_pinned_run(
    world: TheWorld, workspace: TheWorkspace, agent_id: str, version: int, given: Given
) -> Response:
    """Queue a run of a version, which must be active."""
    agent = find_agent(workspace, agent_id)
    run = world.orchestrator.dispatch(agent, given, version=find_version(agent, version))
    return common.raw(serialize.encode_run(world.lies, run), 201)
