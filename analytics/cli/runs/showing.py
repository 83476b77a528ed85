"""`analytics runs show`."""

from __future__ import annotations

from analytics.cli import printed
from analytics.cli.runs import tables
from analytics.cli.runs.readable import agents_by_id, records
from analytics.levain import Levain, RefusedError, Run
from analytics.levain.usage import RunCost


def show(levain: Levain, run: Run, *, as_json: bool) -> None:
    """Print a run and its costs by model."""
    costs = _costs(levain, run)
    if as_json:
        printed.print_json({"run": run, "costs": costs})
    else:
        tables.print_run(run, agents_by_id(levain), costs or [])


def _costs(levain: Levain, run: Run) -> list[RunCost] | None:
    """Return costs by model; None if the API refuses them, for lack of data or of permission."""
    try:
        return list(records([levain.analytics.run_costs(run.id)]))
    except RefusedError as error:
        printed.say(f"What each model cost is not available ({error.cause}).")
        return None
