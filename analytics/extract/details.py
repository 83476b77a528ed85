"""Versions and schedules of agents, costs and log events of runs: no total needs them.

Failed requests stay pending, and the batch goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Unpack

from analytics.extract.batch import WorkspaceBatch
from analytics.extract.endpoints import Endpoint
from analytics.extract.landing import Landing, Subject
from analytics.levain import (
    AnswerBrokenError,
    Page,
    RefusedError,
    ServerFailedError,
    TransientError,
)
from analytics.warehouse.pending_details import (
    agents_with_unread_schedules,
    agents_with_unread_versions,
    collect_pending_details,
    collected_details,
)

BATCH = 4_000
"""Details per load: each load is stored soon, and a backlog does not fill the memory."""

MOST_FAILURES = 10
"""Requests that may fail for good before the rest is left for another batch."""

SAMPLE = 10
"""Details of each kind that are read first, spread over all runs: where the API refuses these, it
refuses all."""

_OF_ONE = (RefusedError, ServerFailedError, AnswerBrokenError)
"""Errors that say something about the one run or agent that was asked for."""


Read = Callable[[str], Awaitable[Page[Any]]]


async def read_versions(batch: WorkspaceBatch) -> None:
    """Read all versions of each agent whose stored ones may be out of date."""
    await batch.loaded()
    versions = Endpoint(
        "agent_versions", "agents/{id}/versions", "the versions of agents are unknown"
    )
    agents = agents_with_unread_versions(batch.store)
    await _read_of_agents(batch, versions, batch.client.agents.versions, agents, "versions")


async def read_schedules(batch: WorkspaceBatch) -> None:
    """Read the schedules of the agents that were active lately and have new runs.

    A schedule names its last run alone, so that without a new run it names none that is not known.
    """
    await batch.loaded()
    schedules = Endpoint(
        "schedules", "agents/{id}/schedules", "which runs a schedule started is unknown"
    )
    active = batch.lately_active_agents()
    agents = [each for each in agents_with_unread_schedules(batch.store) if each in active]
    await _read_of_agents(batch, schedules, batch.client.agents.schedules, agents, "schedules")


async def _read_of_agents(
    batch: WorkspaceBatch, endpoint: Endpoint, read: Read, agents: Iterable[str], step: str
) -> None:
    async with batch.step(step) as landing:
        await batch.gather(
            _land(
                batch,
                landing,
                endpoint,
                partial(read, agent_id),
                is_there=agent_id in batch.listed_agents,
                agent_id=agent_id,
            )
            for agent_id in agents
        )
    unread = f"some agents' {step} could not be read, and stay due"
    _conclude(batch, endpoint, unread, is_refused=bool(endpoint.refusals))


async def read_details(batch: WorkspaceBatch) -> None:
    """Read pending model costs and log events of runs that have ended."""
    await batch.loaded()
    costs = Endpoint("run_costs", "analytics/runs/{id}/costs", "cost of runs by model is unknown")
    events = Endpoint(
        "run_log_events", "runs/{id}/log/events", "log events and tool calls are unknown"
    )
    details: dict[str, tuple[Endpoint, Read]] = {
        costs.source: (costs, batch.client.analytics.run_costs),
        events.source: (events, batch.client.runs.log_events),
    }

    async def land(landing: Landing, run_id: str, source: str) -> None:
        endpoint, read = details[source]
        try:
            await _land(batch, landing, endpoint, partial(read, run_id), run_id=run_id)
        except TransientError as error:  # says nothing about this run
            endpoint.failures.append(error)

    count = collect_pending_details(batch.store)
    batch.progress.begin("reading costs and log events of runs that have ended", count)
    sample = collected_details(batch.store, _spread(count))

    def stretch(start: int) -> list[tuple[str, str]]:
        found = collected_details(batch.store, range(start, min(start + BATCH, count)))
        return [each for each in found if each not in sample]

    due = sample + stretch(0)
    for end in range(BATCH, count + BATCH, BATCH):
        async with batch.step("details") as landing:
            for part in (due[: 2 * SAMPLE], due[2 * SAMPLE :]):
                await batch.gather(land(landing, run_id, source) for run_id, source in part)
            await batch.loaded()  # the next details are found while no load uses the store
            due = stretch(end)
    for endpoint, what in ((costs, "costs"), (events, "log events")):
        unread = f"some runs' {what} could not be read, and stay due for a week"
        # A run that is gone has none: of one refusal beside answers nothing is to be told.
        _conclude(batch, endpoint, unread, is_refused=endpoint.is_refused)


async def _land(
    batch: WorkspaceBatch,
    landing: Landing,
    endpoint: Endpoint,
    read: Callable[[], Awaitable[Page[Any]]],
    *,
    is_there: bool = True,
    **about: Unpack[Subject],
) -> None:
    """Read the detail of one run or agent, unless the rest is left for another batch."""
    is_refused = endpoint.is_refused and len(endpoint.refusals) >= SAMPLE
    if not is_refused and len(endpoint.failures) < MOST_FAILURES:
        await endpoint.land(batch, landing, read(), _OF_ONE, is_there=is_there, **about)


def _conclude(batch: WorkspaceBatch, endpoint: Endpoint, unread: str, *, is_refused: bool) -> None:
    """Warn of an endpoint that is refused, or of what could not be read."""
    if is_refused:
        endpoint.conclude(batch)
    elif endpoint.failures:
        batch.warnings.append(f"{unread}: {endpoint.failures[0]}")


def _spread(count: int) -> list[int]:
    """Return the places of neighbours, two by two, spread over so many details of runs."""
    firsts = range(0, count, max(2, count // SAMPLE // 2 * 2))[:SAMPLE]
    return [place for first in firsts for place in (first, first + 1) if place < count]
