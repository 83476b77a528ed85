"""The versions of agents, read again after a sign that they may have changed."""

from __future__ import annotations

from analytics.extract.batch import WorkspaceBatch
from analytics.extract.details import MOST_FAILURES
from analytics.extract.landing import Landing
from analytics.extract.refusals import Endpoint
from analytics.levain import (
    AnswerBrokenError,
    LevainError,
    NotFoundError,
    RefusedError,
    ServerFailedError,
)

SOURCE = "agent_versions"


async def read_versions(batch: WorkspaceBatch) -> None:
    """Read all versions of each agent whose stored ones may be out of date.

    Failed requests stay pending: no figure needs them, so the batch goes on.
    """
    await batch.loaded()
    failures: list[LevainError] = []
    endpoint = Endpoint("agents/{id}/versions", "the versions of agents are unknown")
    async with batch.step("versions") as landing:
        await batch.gather(
            _read(batch, landing, endpoint, agent_id, failures)
            for agent_id in batch.store.agents_with_unread_versions()
        )
    if endpoint.is_refused:
        batch.conclude(SOURCE, endpoint)
    elif failures:
        batch.warnings.append(
            f"some agents' versions could not be read, and stay due: {failures[0]}"
        )


async def _read(
    batch: WorkspaceBatch,
    landing: Landing,
    endpoint: Endpoint,
    agent_id: str,
    failures: list[LevainError],
) -> None:
    if len(failures) >= MOST_FAILURES:
        return
    try:
        page = await batch.client.agents.versions(agent_id)
    except (RefusedError, ServerFailedError, AnswerBrokenError) as error:
        landing.add_missing(SOURCE, error, batch.began_at, agent_id=agent_id)
        is_there = agent_id in batch.listed_agents
        if isinstance(error, RefusedError):
            endpoint.refuses(error, is_there=is_there)
        if is_there or not isinstance(error, NotFoundError):
            failures.append(error)
    else:
        endpoint.answer_count += 1
        landing.add(SOURCE, page.answer, page.records, agent_id=agent_id)
