"""Lookup of published agents by identifier, slug or name."""

from __future__ import annotations

from typing import Any

import duckdb

from analytics.errors import UsageError
from analytics.format.names import did_you_mean, folded
from analytics.terminal import escaped
from analytics.warehouse.database import records

_AGENTS = """
    select a.workspace_id, any_value(w.workspace_name) as workspace_name, a.agent_id, a.agent_slug,
        a.agent_name, a.line_type, min(d.date) as first_date, max(d.date) as last_date
    from marts.dim_agents as a
    join marts.dim_workspaces as w using (workspace_id)
    left join marts.fct_agent_days as d using (workspace_id, agent_id)
    group by all
    order by a.line_type, a.agent_name, a.workspace_id, a.agent_id
"""
_SHOWN = 5


def find_agent(
    con: duckdb.DuckDBPyConnection, wanted: str, workspace: str | None
) -> dict[str, Any]:
    """Return the agent or line with this identifier, slug or name, in a workspace by id or name.

    UsageError if there is none or more than one, with similar names.
    """
    agents = records(con, _AGENTS)
    if workspace is not None:
        agents = _in_workspace(agents, workspace)
    found = (
        [each for each in agents if each["agent_id"] == wanted]
        or [each for each in agents if each["agent_slug"] == wanted]
        or [each for each in agents if folded(each["agent_name"]) == folded(wanted)]
    )
    if not found:
        suggestion = did_you_mean(wanted, _labels(agents))
        raise UsageError(f"There is no agent `{escaped(wanted)}`. {suggestion}")
    if len(found) > 1:
        names = {each["workspace_id"]: each["workspace_name"] for each in found}
        by_name = "workspace_name" if len(set(names.values())) == len(names) else "workspace_id"
        shown = "; ".join(
            f"{escaped(each[by_name])}: {escaped(each['agent_id'])}" for each in found[:_SHOWN]
        )
        is_line = found[0]["line_type"] != "agent"  # which every workspace has, by one identifier
        by = "--workspace" if is_line else "--workspace, or by its identifier"
        raise UsageError(
            f"{len(found)} agents are called `{escaped(wanted)}`.\nSay which with {by}: {shown}."
        )
    return found[0]


def _in_workspace(agents: list[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
    found = [each for each in agents if each["workspace_id"] == wanted] or [
        each for each in agents if folded(each["workspace_name"]) == folded(wanted)
    ]
    if not found:
        names = sorted(each["workspace_name"] for each in agents)
        suggestion = did_you_mean(wanted, {name: escaped(name) for name in names})
        raise UsageError(f"No workspace `{escaped(wanted)}` has agents. {suggestion}")
    return found


def _labels(agents: list[dict[str, Any]]) -> dict[str, str]:
    """Return the label of each name and slug."""
    labels: dict[str, str] = {}
    for each in agents:
        name, slug = each["agent_name"], each["agent_slug"]
        label = escaped(f"{name} ({slug})" if slug else name)
        labels |= {word: label for word in (name, slug) if word}
    return labels
