"""Versions of agents, of which one takes runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .conftest import Api

if TYPE_CHECKING:
    from analytics.emulator.records import Agent


def statuses(api: Api) -> list[str]:
    return [version["status"] for version in api.get("/agents/baker/versions")]


def test_a_draft_takes_runs_once_it_is_active(api: Api, agent: Agent) -> None:
    """Of an agent's versions, runs go to the active one."""
    draft = api.world.draft_version(agent, agent.versions[0])
    assert api.get("/agents/baker")["draft_version"] == 2
    assert statuses(api) == ["active", "draft"]

    api.world.activate_version(agent, draft)

    assert statuses(api) == ["archived", "active"]
    run = api.post("/agents/baker/runs", {"prompt": "Bread?"})
    assert (run["agent_version"], run["agent_version_id"]) == (2, draft.id)
