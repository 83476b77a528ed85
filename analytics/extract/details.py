"""Versions and schedules of agents, costs and log events of runs: no total needs them.

Failed requests stay pending, and the batch goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from analytics.extract.batch import WorkspaceBatch
from analytics.extract.endpoints import Endpoint
from analytics.extract.landing import Landing, Subject
from analytics.levain import (
    AnswerBrokenError,
    LevainError,
    NotFoundError,
    Page,
    RefusedError,
    ServerFailedError,
    TransientError,
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


@dataclass
class _Detail:
    """A detail of runs or agents, and how reading it went in this batch."""

    endpoint: Endpoint
    read: Callable[[str], Awaitable[Page[Any]]]
    is_of_run: bool = True
    failures: list[LevainError] = field(default_factory=list)

    @property
    def is_left(self) -> bool:
        """Return True if the rest is left for another batch."""
        refusal_count = len(self.endpoint.refusals)
        is_refused = self.endpoint.is_refused and refusal_count >= SAMPLE
        return is_refused or len(self.failures) >= MOST_FAILURES

    async def land(
        self, batch: WorkspaceBatch, landing: Landing, key: str, *, is_there: bool = True
    ) -> None:
        """Read the detail of one run or agent, which the API lists if it `is_there`."""
        if self.is_left:
            return
        about = Subject(run_id=key) if self.is_of_run else Subject(agent_id=key)
        error = await self.endpoint.land(
            batch, landing, self.read(key), _OF_ONE, is_there=is_there, **about
        )
        if error and error not in self.endpoint.refusals and not isinstance(error, NotFoundError):
            self.failures.append(error)

    def conclude(self, batch: WorkspaceBatch, unread: str, *, is_refused: bool) -> None:
        """Warn of an endpoint that is refused, or of what could not be read."""
        if is_refused:
            self.endpoint.conclude(batch)
        elif self.failures:
            batch.warnings.append(f"{unread}: {self.failures[0]}")


async def read_versions(batch: WorkspaceBatch) -> None:
    """Read all versions of each agent whose stored ones may be out of date."""
    await batch.loaded()
    versions = Endpoint(
        "agent_versions", "agents/{id}/versions", "the versions of agents are unknown"
    )
    agents = batch.store.agents_with_unread_versions()
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
    agents = [each for each in batch.store.agents_with_unread_schedules() if each in active]
    await _read_of_agents(batch, schedules, batch.client.agents.schedules, agents, "schedules")


async def _read_of_agents(
    batch: WorkspaceBatch,
    endpoint: Endpoint,
    read: Callable[[str], Awaitable[Page[Any]]],
    agents: Iterable[str],
    step: str,
) -> None:
    detail = _Detail(endpoint, read, is_of_run=False)
    async with batch.step(step) as landing:
        await batch.gather(
            detail.land(batch, landing, agent_id, is_there=agent_id in batch.listed_agents)
            for agent_id in agents
        )
    unread = f"some agents' {step} could not be read, and stay due"
    detail.conclude(batch, unread, is_refused=bool(endpoint.refusals))


async def read_details(batch: WorkspaceBatch) -> None:
    """Read pending model costs and log events of runs that have ended."""
    await batch.loaded()
    details = {
        "run_costs": _Detail(
            Endpoint("run_costs", "analytics/runs/{id}/costs", "cost of runs by model is unknown"),
            batch.client.analytics.run_costs,
        ),
        "run_log_events": _Detail(
            Endpoint(
                "run_log_events",
                "runs/{id}/log/events",
                "log events and tool calls are unknown",
            ),
            batch.client.runs.log_events,
        ),
    }

    async def land(landing: Landing, run_id: str, detail: _Detail) -> None:
        try:
            await detail.land(batch, landing, run_id)
        except TransientError as error:  # says nothing about this run
            detail.failures.append(error)

    count = batch.store.collect_pending_details()
    batch.progress.begin("reading costs and log events of runs that have ended", count)
    sample = batch.store.collected_details(_spread(count))

    def stretch(start: int) -> list[tuple[str, str]]:
        found = batch.store.collected_details(range(start, min(start + BATCH, count)))
        return [each for each in found if each not in sample]

    due = sample + stretch(0)
    for end in range(BATCH, count + BATCH, BATCH):
        async with batch.step("details") as landing:
            for part in (due[: 2 * SAMPLE], due[2 * SAMPLE :]):
                await batch.gather(
                    land(landing, run_id, details[source]) for run_id, source in part
                )
            await batch.loaded()  # the next details are found while no load uses the store
            due = stretch(end)
    for detail, what in zip(details.values(), ("costs", "log events"), strict=True):
        unread = f"some runs' {what} could not be read, and stay due for a week"
        # A run that is gone has none: of one refusal beside answers nothing is to be told.
        detail.conclude(batch, unread, is_refused=detail.endpoint.is_refused)


def _spread(count: int) -> list[int]:
    """Return the places of neighbours, two by two, spread over so many details of runs."""
    firsts = range(0, count, max(2, count // SAMPLE // 2 * 2))[:SAMPLE]
    return [place for first in firsts for place in (first, first + 1) if place < count]
