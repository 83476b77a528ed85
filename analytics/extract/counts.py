"""Run counts by agent and UTC day, as the API reports them: the audit of the run lists."""

from __future__ import annotations

from datetime import datetime, timedelta

from analytics.extract.extraction import TRAILING_DAYS, Extraction
from analytics.extract.landing import Landing, Window
from analytics.extract.optional_endpoints import Endpoint
from analytics.levain.runs import LONGEST_COUNT_DAYS
from analytics.warehouse import windows_read
from analytics.warehouse.sources import AGENT_ROLLUPS
from analytics.warehouse.store import agent_ids


async def read_counts(extraction: Extraction) -> None:
    """Read the counts of each agent active since its last count, and the full history of a new one.

    Counts of an active agent are read from a week before the last count on, and from the first day
    on that its roll-up contradicts. An agent is new also if the configured history reaches
    further back than its oldest count, or if it arrived from another workspace.
    """
    await extraction.loaded()
    counted_on, active_on = windows_read.counted_on(extraction.store), extraction.agents_active_on()
    longest = min(LONGEST_COUNT_DAYS, len(extraction.days_held(AGENT_ROLLUPS)))
    first = extraction.days_back(longest)[0]
    counted_from = windows_read.counted_from(extraction.store)
    new = agent_ids(extraction.store) - counted_on.keys()
    new |= extraction.listed_agents - counted_from.keys()  # it was refused until now
    new |= extraction.arrived_agents
    new |= {agent_id for agent_id, day in counted_from.items() if day > first}
    days = {
        agent_id: min(longest, (extraction.today - (answered or first)).days + TRAILING_DAYS)
        for agent_id, (asked, answered) in counted_on.items()
        if (day := active_on.get(agent_id))
        and (
            day > asked - timedelta(days=TRAILING_DAYS)
            or (answered and day >= answered and agent_id in extraction.listed_agents)
        )
    }
    for agent_id, day in windows_read.first_wrong_count(extraction.store, first).items():
        days[agent_id] = max(days.get(agent_id, 0), (extraction.today - day).days + 1)
    days |= dict.fromkeys(new, longest)
    endpoint = Endpoint("run_counts", "runs/daily", "the outcomes of unlisted runs are unknown")

    async def count(landing: Landing, agent_id: str, span: int) -> None:
        def days_at(at: datetime) -> Window:
            end = at.date() + timedelta(days=1)
            return end - timedelta(days=span), end

        error = await endpoint.land(
            extraction,
            landing,
            extraction.client.runs.daily(agent_id, span),
            is_there=agent_id in extraction.listed_agents,
            days_at=days_at,
            window=days_at(extraction.began_at),
            agent_id=agent_id,
        )
        if error in endpoint.failures:
            extraction.warnings.append(f"the runs of agent {agent_id} cannot be counted: {error}")

    async with extraction.step("counts") as landing:
        await extraction.gather(
            count(landing, agent_id, span) for agent_id, span in sorted(days.items())
        )
    endpoint.conclude(extraction)
