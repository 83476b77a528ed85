"""Lookup of published agents by identifier, slug or name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import duckdb

from analytics.errors import UsageError
from analytics.format.names import folded
from analytics.format.suggestions import did_you_mean
from analytics.terminal import escaped

_AGENTS = """
    select a.workspace_id, any_value(w.workspace_name), a.agent_id, a.agent_slug, a.agent_name,
        a.line_type, min(d.date), max(d.date)
    from marts.dim_agents as a
    join marts.dim_workspaces as w using (workspace_id)
    left join marts.fct_agent_days as d using (workspace_id, agent_id)
    group by all
    order by a.line_type, a.agent_name, a.workspace_id, a.agent_id
"""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class KnownAgent:
    """A published agent or line (No agent, Platform), and its first and last date with figures."""

    workspace_id: str
    workspace_name: str
    agent_id: str
    slug: str | None
    name: str
    line_type: str
    first_day: date | None
    last_day: date | None


def find_agent(con: duckdb.DuckDBPyConnection, wanted: str, workspace: str | None) -> KnownAgent:
    """Return the agent or line with this identifier, slug or name, in a workspace by id or name.

    UsageError if there is none or more than one, with similar names.
    """
    agents = [KnownAgent(*row) for row in con.execute(_AGENTS).fetchall()]
    if workspace is not None:
        agents = _in_workspace(agents, workspace)
    found = (
        [agent for agent in agents if agent.agent_id == wanted]
        or [agent for agent in agents if agent.slug == wanted]
        or [agent for agent in agents if folded(agent.name) == folded(wanted)]
    )
    if not found:
        suggestion = did_you_mean(wanted, _labels(agents))
        raise UsageError(f"There is no agent `{escaped(wanted)}`. {suggestion}")
    if len(found) > 1:
        names = {agent.workspace_id: agent.workspace_name for agent in found}
        are_unique = len(set(names.values())) == len(names)
        shown = "; ".join(
            f"{escaped(agent.workspace_name if are_unique else agent.workspace_id)}:"
            f" {escaped(agent.agent_id)}"
            for agent in found[:_SHOWN]
        )
        is_line = found[0].line_type != "agent"  # which every workspace has, with one identifier
        by = "--workspace" if is_line else "--workspace, or by its identifier"
        raise UsageError(
            f"{len(found)} agents are called `{escaped(wanted)}`.\nSay which with {by}: {shown}."
        )
    return found[0]


def _in_workspace(agents: Iterable[KnownAgent], wanted: str) -> list[KnownAgent]:
    agents = list(agents)
    found = [agent for agent in agents if agent.workspace_id == wanted] or [
        agent for agent in agents if folded(agent.workspace_name) == folded(wanted)
    ]
    if not found:
        names = sorted(agent.workspace_name for agent in agents)
        suggestion = did_you_mean(wanted, {name: escaped(name) for name in names})
        raise UsageError(f"No workspace `{escaped(wanted)}` has agents. {suggestion}")
    return found


def _labels(agents: Iterable[KnownAgent]) -> dict[str, str]:
    """Return the label of each name and slug."""
    return {
        word: f"{escaped(agent.name)} ({escaped(agent.slug)})"
        if agent.slug
        else escaped(agent.name)
        for agent in agents
        for word in (agent.name, agent.slug)
        if word
    }
