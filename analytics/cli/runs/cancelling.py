"""`analytics runs cancel`."""

from __future__ import annotations

from analytics.cli import printed
from analytics.cli.runs import tables
from analytics.cli.runs.watching import leave_running
from analytics.format import numbers
from analytics.levain import Levain, Run


def cancel(levain: Levain, run: Run, interval: float, *, is_awaited: bool, as_json: bool) -> None:
    """Cancel a run, and print its final state, or without waiting its current one."""
    if run.has_ended:
        printed.say(f"Run {run.id} has ended before ({run.status}): nothing was cancelled.")
    else:
        run = levain.runs.cancel(run.id)
    if is_awaited and not run.has_ended:
        printed.say("Cancelling. The step in flight is still being finished, and paid for …")
        with leave_running(run):
            run = levain.runs.wait(run.id, interval=interval)
    if as_json:
        printed.print_json(run)
    else:
        line = tables.status_text(run)
        line.append(f"  {numbers.usd_fine(run.cost_usd)}  {tables.tokens_text(run)}")
        printed.console().print(line)
