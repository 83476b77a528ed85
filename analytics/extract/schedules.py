"""The schedules of agents: the API's one word on what started a run is a schedule's last run."""

from __future__ import annotations

from analytics.extract.landing import Landing
from analytics.extract.night import Night, together
from analytics.levain import RefusedError

SOURCE = "schedules"


async def read_schedules(night: Night) -> None:
    """Read the schedules of the agents that were lately at work."""
    await night.loaded()
    async with night.step("schedules") as landing:
        await together(
            _read(night, landing, agent_id) for agent_id in sorted(night.lately_active_agents())
        )


async def _read(night: Night, landing: Landing, agent_id: str) -> None:
    try:
        page = await night.client.schedules.list(agent_id)
    except RefusedError as error:
        landing.add_missing(SOURCE, error, night.began_at, agent_id=agent_id)
    else:
        landing.add(SOURCE, page.answer, page.records, agent_id=agent_id)
