"""A run's log events, and the conversation in its session."""

from __future__ import annotations

from collections.abc import Callable

from analytics.cli import printed
from analytics.cli.runs import tables
from analytics.cli.runs.lookup import session_of
from analytics.cli.runs.readable import followed, records
from analytics.cli.runs.watching import leave_running
from analytics.errors import AnalyticsError, UsageError
from analytics.levain import Levain, LogEvent, NotFoundError, Run

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

Wanted = Callable[[LogEvent], bool]


def at_least(level: str) -> Wanted:
    """Return a filter for events of this level or above, and for unknown levels."""
    if level.upper() not in LEVELS:
        raise UsageError(f"There is no level {level}: {', '.join(LEVELS)}.")
    below = LEVELS[: LEVELS.index(level.upper())]
    return lambda event: event.level not in below


def show(levain: Levain, run: Run, wanted: Wanted, *, as_json: bool) -> None:
    """Print the events recorded so far."""
    try:
        events = [event for event in records([levain.runs.log_events(run.id)]) if wanted(event)]
    except NotFoundError:
        if run.has_ended:
            raise
        raise AnalyticsError(
            f"Run {run.id} is {run.status}: this API gives its events when it has ended."
        ) from None
    if as_json:
        printed.print_json(events)
    else:
        _print(events)


def follow(levain: Levain, run: Run, wanted: Wanted, *, as_json: bool) -> None:
    """Print new events until the run has ended."""
    with leave_running(run):
        for step in followed(levain, run):
            if step.refused:
                raise step.refused
            events = [event for event in step.events if wanted(event)]
            if not as_json:
                _print(events)
                continue
            for event in events:
                printed.print_json_line(event)


def show_conversation(levain: Levain, run: Run, *, as_json: bool) -> None:
    """Print the session's events that belong to the run."""
    events = [
        event
        for event in records([levain.sessions.events(session_of(run))])
        if event.run_id in (None, run.id)
    ]
    if as_json:
        printed.print_json(events)
    else:
        tables.print_conversation(events)


def _print(events: list[LogEvent]) -> None:
    out = printed.console()
    for event in events:
        out.print(tables.event_text(event), soft_wrap=True)
