"""What a run's cost is made of, and its log events: two requests for each run that has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from analytics.extract.landing import Landing
from analytics.extract.night import Night, together
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
"""Runs per load: what is read is stored soon, and memory does not grow with a backlog."""

MOST_FAILURES = 10
"""Answers that may fail for good before the rest is left for another night."""


async def read_details(night: Night) -> None:
    """Read the due details, at most as many runs as the settings allow; the rest stays due.

    What the API fails to give stays due too: the figures need no details, so the night goes on.
    """
    await night.loaded()
    failures: list[LevainError] = []
    due = night.store.details_due()
    allowed = due[: night.options.details_per_night or None]
    for start in range(0, len(allowed), BATCH):
        async with night.step("details") as landing:
            await together(
                _land(landing, source, run_id, read, night, failures)
                for run_id in allowed[start : start + BATCH]
                for source, read in (
                    ("run_costs", night.client.analytics.run_costs),
                    ("run_log_events", night.client.runs.log_events),
                )
            )
    if failures:
        night.warnings.append(
            f"some runs' costs or log events could not be read, and stay due: {failures[0]}"
        )
    if len(due) > len(allowed):
        night.say(f"{len(due) - len(allowed)} runs' costs and events are left for other nights")


async def _land(
    landing: Landing,
    source: str,
    run_id: str,
    read: Callable[[str], Awaitable[Page[Any]]],
    night: Night,
    failures: list[LevainError],
) -> None:
    if len(failures) >= MOST_FAILURES:
        return
    try:
        page = await read(run_id)
    except NotFoundError as error:
        landing.add_missing(source, error, night.began_at, run_id=run_id)
    except (RefusedError, ServerFailedError, AnswerBrokenError) as error:
        landing.add_missing(source, error, night.began_at, run_id=run_id)
        failures.append(error)
    except TransientError as error:  # no word on this run
        failures.append(error)
    else:
        landing.add(source, page.answer, page.records, run_id=run_id)
