"""`analytics runs watch` and `cancel`: the state of a run until it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import typer

from analytics.cli import printed
from analytics.cli.runs import hints, tables
from analytics.cli.runs.lookup import session_of
from analytics.cli.runs.readable import followed
from analytics.errors import INTERRUPTED
from analytics.format import numbers
from analytics.levain import Agent, Levain, Progress, Run, TransientError
from analytics.terminal import escaped, escaped_lines

EXIT_CODES = {"failed": 5, "cancelled": 6}
"""The exit codes of a run that has not succeeded."""


def watch(levain: Levain, run: Run, agents: dict[str, Agent], *, as_json: bool) -> Run:
    """Print a run until it has ended, and return its final state."""
    with leave_running(run):
        steps = followed(levain, run)
        printed.say(f"Watching run {run.id} of {tables.agent_name(run, agents)}.")
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
        f"Watch it again: {hints.command('watch', run.id)}\n"
        f"Cancel it:      {hints.command('cancel', run.id)}"
    )


@contextmanager
def _leave(state: str, errors: type[Exception] = Exception) -> Iterator[None]:
    """On Ctrl-C or one of these errors, print the state in which a run is left."""
    try:
        yield
    except KeyboardInterrupt:
        printed.say(state)
        raise typer.Exit(INTERRUPTED) from None
    except errors:
        printed.say(state)
        raise


def _print_json_lines(steps: Iterator[Progress], run: Run) -> Run:
    last = None
    for step in steps:
        if step.run != last:
            printed.print_json_line(step.run)
        run = last = step.run
    return run


def _print_lines(steps: Iterator[Progress], run: Run) -> Run:
    out, last = printed.console(), None
    for step in steps:
        for event in step.events:
            out.print(tables.event_text(event), soft_wrap=True)
        run = step.run
        line = f"{step.at:%H:%M:%S}  {escaped(run.status)}  {_meters(run)}"
        if line[10:] != last:
            print(line, flush=True)
        last = line[10:]
    if run.error:
        print(escaped_lines(run.error), flush=True)
    return run


def _meters(run: Run) -> str:
    return f"{numbers.usd_fine(run.cost_usd)}  {tables.tokens_text(run)}"


def cancel(levain: Levain, run: Run, *, is_awaited: bool, as_json: bool) -> None:
    """Cancel a run, and print its final state, or without waiting its current one."""
    if run.has_ended:
        printed.say(f"Run {run.id} has ended before ({run.status}): nothing was cancelled.")
    else:
        session_id, see = session_of(run), f"See: {hints.command('show', run.id)}"
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
        line = tables.status_text(run)
        line.append(f"  {numbers.usd_fine(run.cost_usd)}  {tables.tokens_text(run)}")
        printed.console().print(line)
