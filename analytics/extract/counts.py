"""Run counts by agent and UTC day, as the API reports them: the audit of the run lists."""

from __future__ import annotations

from datetime import datetime, timedelta

from analytics.extract.batch import TRAILING_DAYS, WorkspaceBatch
from analytics.extract.endpoints import Endpoint
from analytics.extract.landing import Landing, Window
from analytics.levain.runs import LONGEST_COUNT_DAYS
from analytics.warehouse import days_read
from analytics.warehouse.sources import AGENT_ROLLUPS
from analytics.warehouse.store import agent_ids


async def read_counts(batch: WorkspaceBatch) -> None:
    """Read the counts of each agent active since its last count, and the full history of a new one.

    Counts of an active agent are read from a week before the last count on, and from the first day
    on that its roll-up contradicts. An agent is new also if the configured history reaches
    further back than its oldest count.
    """
    await batch.loaded()
    counted_on, active_on = days_read.counted_on(batch.store), batch.agents_active_on()
    longest = min(LONGEST_COUNT_DAYS, len(batch.days_held(AGENT_ROLLUPS)))
    first = batch.days_back(longest)[0]
    counted_from = days_read.counted_from(batch.store)
    new = agent_ids(batch.store) - counted_on.keys()
    new |= batch.listed_agents - counted_from.keys()  # it was refused until now
    new |= {agent_id for agent_id, day in counted_from.items() if day > first}
    days = {
        agent_id: min(longest, (batch.today - (answered or first)).days + TRAILING_DAYS)
        for agent_id, (asked, answered) in counted_on.items()
        if (day := active_on.get(agent_id))
        and (
            day > asked - timedelta(days=TRAILING_DAYS)
            or (answered and day >= answered and agent_id in batch.listed_agents)
        )
    }
    for agent_id, day in days_read.first_wrong_count(batch.store, first).items():
        days[agent_id] = max(days.get(agent_id, 0), (batch.today - day).days + 1)
    days |= dict.fromkeys(new, longest)
    endpoint = Endpoint("run_counts", "runs/daily", "the outcomes of unlisted runs are unknown")

    async def count(landing: Landing, agent_id: str, span: int) -> None:
        def days_at(at: datetime) -> Window:
            end = at.date() + timedelta(days=1)
            return end - timedelta(days=span), end

        error = await endpoint.land(
            batch,
            landing,
            batch.client.runs.daily(agent_id, span),
            is_there=agent_id in batch.listed_agents,
            days_at=days_at,
            window=days_at(batch.began_at),
            agent_id=agent_id,
        )
        if error in endpoint.failures:
            batch.warnings.append(f"the runs of agent {agent_id} cannot be counted: {error}")

    async with batch.step("counts") as landing:
        await batch.gather(
            count(landing, agent_id, span) for agent_id, span in sorted(days.items())
        )
    endpoint.conclude(batch)
