"""Lookup of runs and agents by id, by slug, or by the beginning of either."""

from __future__ import annotations

import re

from analytics.cli.runs import hints
from analytics.cli.runs.readable import records
from analytics.errors import AnalyticsError, UsageError
from analytics.format.suggestions import did_you_mean
from analytics.levain import Agent, Levain, NotFoundError, Run
from analytics.levain.runs import LONGEST_LIST

SHOWN = 5

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find_run(levain: Levain, text: str) -> Run:
    """Return the run with this id, or the only one of the newest whose id begins with it."""
    wanted = text.strip().lower()
    if _UUID.fullmatch(wanted):
        try:
            return levain.runs.get(wanted)
        except NotFoundError:
            raise UsageError(f"The workspace has no run {wanted}.") from None
    found = [run for run in records(levain.runs.pages()) if wanted and run.id.startswith(wanted)]
    if not found:
        raise UsageError(
            f"None of the newest {LONGEST_LIST} runs has an id that begins with `{text}`.\n"
            f"`{hints.command('list')}` shows them; an older run needs its whole id."
        )
    if len(found) > 1:
        raise UsageError(
            f"`{text}` begins the ids of {len(found)} runs: {_some([*short_ids(found).values()])}."
        )
    return found[0]


def session_of(run: Run) -> str:
    """Return the id of a run's session; AnalyticsError if it has none."""
    if run.session_id is None:
        raise AnalyticsError(f"Run {run.id} belongs to no session.")
    return run.session_id


def find_session_id(levain: Levain, text: str) -> str:
    """Return the id of a run's session; a whole id that no run has is taken for a session's."""
    try:
        return session_of(find_run(levain, text))
    except UsageError:
        wanted = text.strip().lower()
        if _UUID.fullmatch(wanted):
            return wanted
        raise


def find_agent(levain: Levain, text: str) -> Agent:
    """Return the agent with this id or slug, or the only one whose slug or id begins with it."""
    wanted = text.strip()
    agents = list(records(levain.agents.pages()))
    exact = [agent for agent in agents if wanted in (agent.slug, agent.id)]
    found = exact or [
        agent
        for agent in agents
        if wanted and ((agent.slug or "").startswith(wanted) or agent.id.startswith(wanted.lower()))
    ]
    if not found:
        labels = {
            word: f"{agent.name} ({agent.slug})" if agent.name and agent.slug else agent.id
            for agent in sorted(agents, key=lambda agent: agent.slug or agent.id)
            for word in (agent.slug, agent.name)
            if word
        }
        raise UsageError(f"The workspace has no agent `{text}`. {did_you_mean(wanted, labels)}")
    if len(found) > 1:
        names = _some(sorted(agent.slug or agent.id for agent in found))
        raise UsageError(f"`{text}` begins the names of {len(found)} agents: {names}.")
    return found[0]


def find_agent_id(levain: Levain, text: str) -> str:
    """Return the id of an agent; a whole id is taken as it is, since it may be of a deleted one."""
    wanted = text.strip().lower()
    return wanted if _UUID.fullmatch(wanted) else find_agent(levain, text).id


def short_ids(runs: list[Run]) -> dict[str, str]:
    """Return each run's id, cut to the fewest characters (at least eight) that keep it unique."""
    length = 8
    while len({run.id[:length] for run in runs}) < len({run.id for run in runs}):
        length += 1
    return {run.id: run.id[:length] for run in runs}


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
