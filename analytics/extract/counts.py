"""How many runs the API counts for each agent and UTC day: the audit of what the lists showed."""

from __future__ import annotations

from datetime import timedelta

from analytics.extract.batch import TRAILING_DAYS, WorkspaceBatch, together
from analytics.extract.landing import Landing
from analytics.levain import NotFoundError, RefusedError
from analytics.levain.runs import LONGEST_COUNT_DAYS

SOURCE = "run_counts"


async def read_counts(batch: WorkspaceBatch) -> None:
    """Count the runs of each agent that was at work lately, and the whole history of a new one.

    Lately means since it was last counted, however long ago that was, and a week before. New is
    also an agent of whom a history that was made longer since holds older days.
    """
    await batch.loaded()
    counted_on, active_on = batch.store.counted_on(), batch.store.agents_active_on()
    longest = min(LONGEST_COUNT_DAYS, len(batch.days_held("agent_rollups")))
    first = batch.days_back(longest)[0]
    new = batch.store.agent_ids() - counted_on.keys() | {
        agent_id for agent_id, day in batch.store.counted_from().items() if day > first
    }
    days = {
        agent_id: min(longest, (batch.today - day).days + TRAILING_DAYS)
        for agent_id, day in counted_on.items()
        if agent_id in active_on and active_on[agent_id] > day - timedelta(days=TRAILING_DAYS)
    } | dict.fromkeys(new, longest)
    async with batch.step("counts") as landing:
        await together(
            _count(batch, landing, agent_id, span) for agent_id, span in sorted(days.items())
        )


async def _count(batch: WorkspaceBatch, landing: Landing, agent_id: str, days: int) -> None:
    try:
        page = await batch.client.runs.daily(agent_id, days)
    except RefusedError as error:
        landing.add_missing(SOURCE, error, batch.began_at, agent_id=agent_id)
        if not isinstance(error, NotFoundError):
            batch.warnings.append(f"the runs of agent {agent_id} cannot be counted: {error}")
    else:
        end = page.answer.fetched_at.date() + timedelta(days=1)
        window = (end - timedelta(days=days), end)
        landing.add(SOURCE, page.answer, page.records, agent_id=agent_id, window=window)
