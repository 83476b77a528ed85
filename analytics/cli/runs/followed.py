"""A run from its start to its end: how it is started, watched and cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import typer

from analytics.cli import printed
from analytics.cli.connection import hint
from analytics.cli.runs import shown
from analytics.cli.runs.asked import RunInput, records, session_of, warn_of
from analytics.errors import INTERRUPTED, AnalyticsError, UsageError
from analytics.format import numbers
from analytics.levain import (
    Agent,
    Levain,
    LogEvent,
    NotFoundError,
    Progress,
    RefusedError,
    Run,
    Session,
    TransientError,
)
from analytics.terminal import console, escaped, escaped_lines

EXIT_CODES = {"failed": 5, "cancelled": 6}
"""The exit codes of a run that has not succeeded."""


def trigger(levain: Levain, agent: Agent, given: RunInput, version: int | None) -> Run:
    """Start a run; AnalyticsError if it was refused, or may have started without confirmation."""
    name = agent.slug or agent.id
    try:
        with _unconfirmed():
            return levain.runs.trigger(name, **given, version=version)
    except RefusedError as error:
        cause = (error.detail or str(error)).rstrip(".")
        raise AnalyticsError(f"Agent {name} ({agent.status}) did not start: {cause}.") from error


def send(levain: Levain, session_id: str, text: str) -> Session:
    """Send a message to a session; AnalyticsError as of `trigger`."""
    with _unconfirmed():
        return levain.sessions.send_message(session_id, text)


def watch(levain: Levain, run: Run, agents: dict[str, Agent], *, as_json: bool) -> Run:
    """Print a run until it has ended, and return its final state."""
    with leave_running(run):
        steps = _steps(levain, run)
        printed.say(f"Watching run {run.id} of {shown.agent_name(run, agents)}.")
        return _print_json_lines(steps, run) if as_json else _print_lines(steps, run)


def exit_code(run: Run) -> int:
    """Return the exit code of `watch`: 0 succeeded, 5 failed, 6 cancelled."""
    return EXIT_CODES.get(run.status, 0)


def leave_running(run: Run) -> AbstractContextManager[None]:
    """On Ctrl-C or an error, print that the run continues, unless it has ended before."""
    if run.has_ended:
        return nullcontext()
    return _leave(
        f"Run {run.id[:8]} goes on without being watched.\n"
        f"Watch it again: {hint('watch', run.id)}\n"
        f"Cancel it:      {hint('cancel', run.id)}"
    )


def _unconfirmed() -> AbstractContextManager[None]:
    """On Ctrl-C, print that a run may have started; an error says so itself."""
    return _leave(f"It may have started: look with `{hint('list')}`.", ())


@contextmanager
def _leave(
    state: str, errors: type[Exception] | tuple[type[Exception], ...] = Exception
) -> Iterator[None]:
    """On Ctrl-C or one of these errors, print the state in which a run is left."""
    try:
        yield
    except KeyboardInterrupt:
        printed.say(state)
        raise typer.Exit(INTERRUPTED) from None
    except errors:
        printed.say(state)
        raise


def _steps(levain: Levain, run: Run) -> Iterator[Progress]:
    """Yield a run's progress; print a warning for each invalid event, and a refusal once."""
    is_refused = False
    for step in levain.runs.follow(run.id):
        if step.refused and not is_refused:
            is_refused = True
            printed.say(f"Its log events are not available ({step.refused.cause}).")
        for error in step.unreadable:
            warn_of(error)
        yield step


def _print_json_lines(steps: Iterator[Progress], run: Run) -> Run:
    last = None
    for step in steps:
        if step.run != last:
            printed.print_json_line(step.run)
        run = last = step.run
    return run


def _print_lines(steps: Iterator[Progress], run: Run) -> Run:
    out, last = console(), None
    for step in steps:
        for event in step.events:
            out.print(shown.event_text(event), soft_wrap=True)
        run = step.run
        line = f"{step.at:%H:%M:%S}  {escaped(run.status)}  {_meters(run)}"
        if line[10:] != last:
            print(line, flush=True)
        last = line[10:]
    if run.error:
        print(escaped_lines(run.error), flush=True)
    return run


def _meters(run: Run) -> str:
    return f"{numbers.usd_fine(run.cost_usd)}  {shown.tokens_text(run)}"


def cancel(levain: Levain, run: Run, *, is_awaited: bool, as_json: bool) -> None:
    """Cancel a run, and print its final state, or without waiting its current one."""
    if run.has_ended:
        printed.say(f"Run {run.id} has ended before ({run.status}): nothing was cancelled.")
    else:
        session_id, see = session_of(run), f"See: {hint('show', run.id)}"
        with _leave(f"Run {run.id} may have been cancelled all the same.\n{see}", TransientError):
            levain.sessions.cancel(session_id)
        accepted = "The cancellation was accepted; the step in flight is being finished."
        with _leave(f"{accepted}\n{see}"):
            printed.say(
                "Cancelling. The step in flight is still being finished, and paid for; "
                "other runs of its session end too."
            )
            runs = levain.runs
            run = runs.wait(run.id) if is_awaited else runs.get(run.id)
    if as_json:
        printed.print_json(run)
    else:
        line = shown.status_text(run)
        line.append(f"  {numbers.usd_fine(run.cost_usd)}  {shown.tokens_text(run)}")
        console().print(line)


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

Wanted = Callable[[LogEvent], bool]


def at_least(level: str) -> Wanted:
    """Return a filter for events of this level or above, and for unknown levels."""
    if level.upper() not in LEVELS:
        raise UsageError(f"There is no level {level}: {', '.join(LEVELS)}.")
    below = LEVELS[: LEVELS.index(level.upper())]
    return lambda event: event.level not in below


def show_events(levain: Levain, run: Run, wanted: Wanted, *, as_json: bool) -> None:
    """Print the log events recorded so far."""
    try:
        events = [*records([levain.runs.log_events(run.id)])]
    except NotFoundError:
        if run.has_ended:
            raise
        raise AnalyticsError(
            f"Run {run.id} is {run.status}: this API gives its events when it has ended."
        ) from None
    found = [*filter(wanted, events)]
    if as_json:
        printed.print_json(found)
    else:
        _print_events(found)
        _say_if_none(len(found), len(events))


def follow_events(levain: Levain, run: Run, wanted: Wanted, *, as_json: bool) -> None:
    """Print new log events until the run has ended."""
    count = found_count = 0
    with leave_running(run):
        for step in _steps(levain, run):
            if step.refused:
                raise step.refused
            events = [*filter(wanted, step.events)]
            count, found_count = count + len(step.events), found_count + len(events)
            if not as_json:
                _print_events(events)
                continue
            for event in events:
                printed.print_json_line(event)
    if not as_json:
        _say_if_none(found_count, count)


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
        shown.print_conversation(events)


def _say_if_none(found_count: int, count: int) -> None:
    if not found_count:
        events = numbers.plural(count, "log event")
        printed.say(f"Of {events}, none is at or above the level." if count else "No log events.")


def _print_events(events: list[LogEvent]) -> None:
    out = console()
    for event in events:
        out.print(shown.event_text(event), soft_wrap=True)
