"""Output of `analytics runs list`, `show` and `artifacts`."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from analytics.cli import printed
from analytics.cli.runs import files, tables
from analytics.cli.runs.lookup import find_agent_id
from analytics.cli.runs.readable import agents_by_id, records
from analytics.errors import AnalyticsError, UsageError
from analytics.format import numbers
from analytics.levain import Levain, RefusedError, Run, RunCost
from analytics.levain.runs import LONGEST_LIST

STATUSES = ("pending", "running", "succeeded", "failed", "cancelled")


def show_runs(
    levain: Levain, agent: str | None, status: str | None, limit: int, *, as_json: bool
) -> None:
    """Print the newest runs; a status is selected among all runs that the API lists."""
    if status is not None and status not in STATUSES:
        raise UsageError(f"There is no status {status}: {', '.join(STATUSES)}.")
    agent_id = find_agent_id(levain, agent) if agent is not None else None
    pages = levain.runs.pages(agent_id, limit=LONGEST_LIST if status else limit)
    found = list(islice((run for run in records(pages) if status in (None, run.status)), limit))
    if as_json:
        printed.print_json(found)
        return
    if found:
        tables.print_runs(found, agents_by_id(levain))
    else:
        printed.say(f"No {status} run among the newest {LONGEST_LIST}." if status else "No runs.")


def show_run(levain: Levain, run: Run, *, as_json: bool) -> None:
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


def show_artifacts(levain: Levain, run: Run, folder: Path | None, *, as_json: bool) -> None:
    """List a run's files, or save them in a folder.

    AnalyticsError if some could not be downloaded.
    """
    listed = levain.runs.artifacts(run.id)
    if listed.truncated:
        printed.say(
            f"The API lists {len(listed.artifacts):,} files at most; this run has more, "
            "which sort after these by name."
        )
    if folder is not None:
        saved = files.save_artifacts(levain, run, listed.artifacts, folder)
        if as_json:
            printed.print_json(saved)
        _print_saved(saved, folder)
    elif as_json:
        printed.print_json(listed.artifacts)
    elif listed.artifacts:
        tables.print_artifacts(listed.artifacts)
    else:
        printed.say("It has published no files" + ("." if run.has_ended else " yet."))


def _print_saved(saved: list[files.Saved], folder: Path) -> None:
    new, failed = [s for s in saved if s.is_new], [s for s in saved if s.error]
    kept = len(saved) - len(new) - len(failed)
    line = f"{numbers.plural(len(new), 'file')} saved in {folder}"
    printed.say(
        line + (f"; {numbers.plural(kept, 'file')} there before, kept as is" if kept else "")
    )
    if failed:
        raise AnalyticsError(
            f"{len(failed)} of {numbers.plural(len(saved), 'file')} could not be had: "
            f"{failed[0].filename or failed[0].key}: {failed[0].error}."
        )
