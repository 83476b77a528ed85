"""The schedules of agents: the only record in the API of the trigger of a run."""

from __future__ import annotations

from analytics.extract.batch import WorkspaceBatch
from analytics.extract.landing import Landing
from analytics.levain import RefusedError

SOURCE = "schedules"


async def read_schedules(batch: WorkspaceBatch) -> None:
    """Read the schedules of the agents that were active lately."""
    await batch.loaded()
    async with batch.step("schedules") as landing:
        await batch.gather(
            _read(batch, landing, agent_id) for agent_id in sorted(batch.lately_active_agents())
        )


async def _read(batch: WorkspaceBatch, landing: Landing, agent_id: str) -> None:
    try:
        page = await batch.client.schedules.list(agent_id)
    except RefusedError as error:
        landing.add_missing(SOURCE, error, batch.began_at, agent_id=agent_id)
    else:
        landing.add(SOURCE, page.answer, page.records, agent_id=agent_id)
