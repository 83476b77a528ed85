"""Versions and schedules of agents, costs and log events of runs: no total needs them.

Failed requests stay pending, and the batch goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Unpack

from analytics.extract.extraction import Extraction
from analytics.extract.landing import Landing, Subject
from analytics.extract.optional_endpoints import Endpoint
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

PER_LOAD = 4_000
"""Details of a load: it is stored soon, and a backlog does not fill the memory."""

MOST_FAILURES = 10
"""Requests that may fail for good before the rest is left for another batch."""

SAMPLE = 10
"""Details of each kind that are read first, spread over all runs: where the API refuses these, it
refuses all."""

_OF_ONE = (RefusedError, ServerFailedError, AnswerBrokenError)
"""Errors that say something about the one run or agent that was asked for."""


Read = Callable[[str], Awaitable[Page[Any]]]


async def read_versions(extraction: Extraction) -> None:
    """Read all versions of each agent whose stored ones may be out of date."""
    await extraction.loaded()
    versions = Endpoint(
        "agent_versions", "agents/{id}/versions", "the versions of agents are unknown"
    )
    read, agents = extraction.client.agents.versions, agents_with_unread_versions(extraction.store)
    await _read_of_agents(extraction, versions, read, agents, "versions")


async def read_schedules(extraction: Extraction) -> None:
    """Read the schedules of the agents that were active lately and have new runs.

    A schedule names its last run alone, so that without a new run it names none that is not known.
    """
    await extraction.loaded()
    schedules = Endpoint(
        "schedules", "agents/{id}/schedules", "which runs a schedule started is unknown"
    )
    read, active = extraction.client.agents.schedules, extraction.lately_active_agents()
    agents = [each for each in agents_with_unread_schedules(extraction.store) if each in active]
    await _read_of_agents(extraction, schedules, read, agents, "schedules")


async def _read_of_agents(
    extraction: Extraction, endpoint: Endpoint, read: Read, agents: Iterable[str], step: str
) -> None:
    async with extraction.step(step) as landing:
        await extraction.gather(
            _land(
                extraction,
                landing,
                endpoint,
                partial(read, agent_id),
                is_there=agent_id in extraction.listed_agents,
                agent_id=agent_id,
            )
            for agent_id in agents
        )
    unread = f"some agents' {step} could not be read, and stay due"
    _conclude(extraction, endpoint, unread, is_refused=bool(endpoint.refusals))


async def read_details(extraction: Extraction) -> None:
    """Read pending model costs and log events of runs that have ended."""
    await extraction.loaded()
    costs = Endpoint("run_costs", "analytics/runs/{id}/costs", "cost of runs by model is unknown")
    events = Endpoint(
        "run_log_events", "runs/{id}/log/events", "log events and tool calls are unknown"
    )
    details: dict[str, tuple[Endpoint, Read]] = {
        costs.source: (costs, extraction.client.analytics.run_costs),
        events.source: (events, extraction.client.runs.log_events),
    }

    async def land(landing: Landing, run_id: str, source: str) -> None:
        endpoint, read = details[source]
        try:
            await _land(extraction, landing, endpoint, partial(read, run_id), run_id=run_id)
        except TransientError as error:  # says nothing about this run
            endpoint.failures.append(error)

    count = collect_pending_details(extraction.store)
    extraction.progress.begin("reading costs and log events of runs that have ended", count)
    sample = collected_details(extraction.store, _spread(count))

    def stretch(start: int) -> list[tuple[str, str]]:
        found = collected_details(extraction.store, range(start, min(start + PER_LOAD, count)))
        return [each for each in found if each not in sample]

    due = sample + stretch(0)
    for end in range(PER_LOAD, count + PER_LOAD, PER_LOAD):
        async with extraction.step("details") as landing:
            for part in (due[: 2 * SAMPLE], due[2 * SAMPLE :]):
                await extraction.gather(land(landing, run_id, source) for run_id, source in part)
            await extraction.loaded()  # the next details are found while no load uses the store
            due = stretch(end)
    for endpoint, what in ((costs, "costs"), (events, "log events")):
        unread = f"some runs' {what} could not be read, and stay due for a week"
        # A run that is gone has none: of one refusal beside answers nothing is to be told.
        _conclude(extraction, endpoint, unread, is_refused=endpoint.is_refused)


async def _land(
    extraction: Extraction,
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
        await endpoint.land(extraction, landing, read(), _OF_ONE, is_there=is_there, **about)


def _conclude(extraction: Extraction, endpoint: Endpoint, unread: str, *, is_refused: bool) -> None:
    """Warn of an endpoint that is refused, or of what could not be read."""
    if is_refused:
        endpoint.conclude(extraction)
    elif endpoint.failures:
        extraction.warnings.append(f"{unread}: {endpoint.failures[0]}")


def _spread(count: int) -> list[int]:
    """Return the places of neighbours, two by two, spread over so many details of runs."""
    firsts = range(0, count, max(2, count // SAMPLE // 2 * 2))[:SAMPLE]
    return [place for first in firsts for place in (first, first + 1) if place < count]
