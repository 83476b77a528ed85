"""`analytics runs list`."""

from __future__ import annotations

from itertools import islice

from analytics.cli import printed
from analytics.cli.runs import tables
from analytics.cli.runs.lookup import find_agent
from analytics.cli.runs.readable import agents_by_id, records
from analytics.errors import UsageError
from analytics.levain import Levain
from analytics.levain.runs import LONGEST_LIST

STATUSES = ("pending", "running", "succeeded", "failed", "cancelled")


def show(
    levain: Levain, agent: str | None, status: str | None, limit: int, *, as_json: bool
) -> None:
    """Print the newest runs; a status is selected among all runs that the API lists."""
    if status is not None and status not in STATUSES:
        raise UsageError(f"There is no status {status}: {', '.join(STATUSES)}.")
    agent_id = find_agent(levain, agent).id if agent is not None else None
    pages = levain.runs.pages(agent_id, limit=LONGEST_LIST if status else limit)
    found = list(islice((run for run in records(pages) if status in (None, run.status)), limit))
    if as_json:
        printed.print_json(found)
        return
    if found:
        tables.print_runs(found, agents_by_id(levain))
    else:
        printed.say(f"No {status} run among the newest {LONGEST_LIST}." if status else "No runs.")
