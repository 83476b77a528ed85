"""The page of one workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.report import billing, breakdowns, daily, failures, kpis, state
from analytics.report.comparison import comparison
from analytics.report.tables import Cell

if TYPE_CHECKING:
    from analytics.report.facts import Agent, Workspace


def page(workspace: Workspace, timezone: str) -> dict[str, Any]:
    """What the template `workspace.html` prints."""
    subject, calendar = workspace.subject, workspace.subject.coverage.calendar
    models = [part for agent in workspace.agents for part in agent.models]
    errors = [part for agent in workspace.agents for part in agent.errors]
    lines = [(_name(agent), agent.subject) for agent in workspace.agents]
    return {
        "workspace": workspace,
        "coverage": subject.coverage,
        "remarks": state.workspace_remarks(workspace),
        "kpis": [*kpis.headline(subject), kpis.per_success(subject)],
        "charts": {
            "cost": daily.cost(subject, timezone),
            "agents": breakdowns.dearest_agents(subject, workspace.agents),
            "models": breakdowns.models(subject, models),
            "tokens": daily.tokens(subject, timezone),
            "failure_rate": failures.failure_rate(subject, timezone),
            "failed_cost": failures.failed_cost(subject, timezone),
            "errors": breakdowns.errors(subject, errors),
            "billing": billing.providers(workspace.billing, calendar),
        },
        "platform": billing.platform(workspace.platform, calendar),
        "months": daily.month_table(subject, timezone),
        "agents": comparison("all-agents", "Agent", lines, subject) if lines else None,
    }


def _name(agent: Agent) -> Cell:
    remarks = state.standing(agent)
    if not agent.subject.recent.run_count:
        remarks.append("no recent runs")
    return Cell(agent.name, agent.name.casefold(), ", ".join(remarks), href=f"../{agent.path}")
