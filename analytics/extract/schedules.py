"""The schedules of agents: the only record in the API of the trigger of a run."""

from __future__ import annotations

from analytics.extract.batch import WorkspaceBatch
from analytics.extract.landing import Landing
from analytics.extract.refusals import Endpoint
from analytics.levain import RefusedError

SOURCE = "schedules"


async def read_schedules(batch: WorkspaceBatch) -> None:
    """Read the schedules of the agents that were active lately and have new runs.

    A schedule names its last run alone, so that without a new run it names none that is not known.
    """
    await batch.loaded()
    endpoint = Endpoint("agents/{id}/schedules", "which runs a schedule started is unknown")
    active = batch.lately_active_agents()
    async with batch.step("schedules") as landing:
        await batch.gather(
            _read(batch, landing, endpoint, agent_id)
            for agent_id in batch.store.agents_with_unread_schedules()
            if agent_id in active
        )
    if endpoint.is_refused:
        batch.conclude(SOURCE, endpoint)


async def _read(batch: WorkspaceBatch, landing: Landing, endpoint: Endpoint, agent_id: str) -> None:
    try:
        page = await batch.client.agents.schedules(agent_id)
    except RefusedError as error:
        landing.add_missing(SOURCE, error, batch.began_at, agent_id=agent_id)
        endpoint.refuses(error, is_there=agent_id in batch.listed_agents)
    else:
        endpoint.answer_count += 1
        landing.add(SOURCE, page.answer, page.records, agent_id=agent_id)
