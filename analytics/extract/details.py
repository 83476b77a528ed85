"""Model costs and log events of runs that have ended: two requests for each run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from analytics.extract.batch import WorkspaceBatch
from analytics.extract.landing import Landing
from analytics.extract.refusals import Endpoint
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


@dataclass
class _Detail:
    """A detail of runs, and how reading it went in this batch."""

    source: str
    read: Callable[[str], Awaitable[Page[Any]]]
    endpoint: Endpoint
    failures: list[LevainError] = field(default_factory=list)

    @property
    def is_left(self) -> bool:
        """Return True if the rest is left for another batch."""
        refusal_count = len(self.endpoint.refusals)
        is_refused = self.endpoint.is_refused and refusal_count >= SAMPLE
        return is_refused or len(self.failures) >= MOST_FAILURES


async def read_details(batch: WorkspaceBatch) -> None:
    """Read pending details.

    Failed requests stay pending, and the batch goes on, because no total needs details.
    """
    await batch.loaded()
    details = {detail.source: detail for detail in _details_of(batch)}
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
                    _land(landing, details[source], run_id, batch)
                    for run_id, source in part
                    if not details[source].is_left
                )
            await batch.loaded()  # the next details are found while no load uses the store
            due = stretch(end)
    for detail in details.values():
        if detail.endpoint.is_refused:
            batch.conclude(detail.source, detail.endpoint)
    if failures := [failure for detail in details.values() for failure in detail.failures]:
        batch.warnings.append(
            "some runs' costs or log events could not be read, and stay due for a week:"
            f" {failures[0]}"
        )


def _details_of(batch: WorkspaceBatch) -> tuple[_Detail, ...]:
    return (
        _Detail(
            "run_costs",
            batch.client.analytics.run_costs,
            Endpoint("analytics/runs/{id}/costs", "cost of runs by model is unknown"),
        ),
        _Detail(
            "run_log_events",
            batch.client.runs.log_events,
            Endpoint("runs/{id}/log/events", "log events and tool calls are unknown"),
        ),
    )


def _spread(count: int) -> list[int]:
    """Return the places of neighbours, two by two, spread over so many details of runs."""
    firsts = range(0, count, max(2, count // SAMPLE // 2 * 2))[:SAMPLE]
    return [place for first in firsts for place in (first, first + 1) if place < count]


async def _land(landing: Landing, detail: _Detail, run_id: str, batch: WorkspaceBatch) -> None:
    try:
        page = await detail.read(run_id)
    except NotFoundError as error:
        detail.endpoint.refuses(error, is_there=True)
        landing.add_missing(detail.source, error, batch.began_at, run_id=run_id)
    except (RefusedError, ServerFailedError, AnswerBrokenError) as error:
        landing.add_missing(detail.source, error, batch.began_at, run_id=run_id)
        if not (isinstance(error, RefusedError) and detail.endpoint.refuses(error, is_there=True)):
            detail.failures.append(error)
    except TransientError as error:  # says nothing about this run
        detail.failures.append(error)
    else:
        detail.endpoint.answer_count += 1
        landing.add(detail.source, page.answer, page.records, run_id=run_id)
