"""Model costs and log events of runs that have ended: two requests for each run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from analytics.extract.batch import WorkspaceBatch
from analytics.extract.landing import Landing
from analytics.levain import (
    AnswerBrokenError,
    LevainError,
    NotFoundError,
    Page,
    RefusedError,
    ServerFailedError,
    TransientError,
)

BATCH = 2_000
"""Runs per load: each load is stored soon, and a backlog does not fill the memory."""

MOST_FAILURES = 10
"""Requests that may fail for good before the rest is left for another batch."""


async def read_details(batch: WorkspaceBatch) -> None:
    """Read pending details, of at most as many runs as the settings allow; the rest stays pending.

    Failed requests stay pending too, and the batch goes on, because no total needs details.
    """
    await batch.loaded()
    failures: list[LevainError] = []
    due = batch.store.pending_details()
    allowed = due[: batch.options.details_per_batch or None]
    batch.progress.begin("reading costs and log events of runs that have ended", 2 * len(allowed))
    for start in range(0, len(allowed), BATCH):
        async with batch.step("details") as landing:
            await batch.gather(
                _land(landing, source, run_id, read, batch, failures)
                for run_id in allowed[start : start + BATCH]
                for source, read in (
                    ("run_costs", batch.client.analytics.run_costs),
                    ("run_log_events", batch.client.runs.log_events),
                )
            )
    if failures:
        batch.warnings.append(
            f"some runs' costs or log events could not be read, and stay due: {failures[0]}"
        )
    if len(due) > len(allowed):
        left = len(due) - len(allowed)
        batch.progress.say(f"{left} runs' costs and events are left for other batches")


async def _land(
    landing: Landing,
    source: str,
    run_id: str,
    read: Callable[[str], Awaitable[Page[Any]]],
    batch: WorkspaceBatch,
    failures: list[LevainError],
) -> None:
    if len(failures) >= MOST_FAILURES:
        return
    try:
        page = await read(run_id)
    except NotFoundError as error:
        landing.add_missing(source, error, batch.began_at, run_id=run_id)
    except (RefusedError, ServerFailedError, AnswerBrokenError) as error:
        landing.add_missing(source, error, batch.began_at, run_id=run_id)
        failures.append(error)
    except TransientError as error:  # says nothing about this run
        failures.append(error)
    else:
        landing.add(source, page.answer, page.records, run_id=run_id)
