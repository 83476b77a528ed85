"""The page of one workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.report.figures import assemble
from analytics.report.files import packed
from analytics.report.sections import (
    billing,
    daily,
    failing,
    failures,
    forecast,
    heat,
    kpis,
    members,
    movers,
    overtime,
    rankings,
    spreads,
    unusual,
)
from analytics.report.sections.comparison import comparison
from analytics.report.writing import state
from analytics.report.writing.tables import Cell

if TYPE_CHECKING:
    from analytics.report.figures.facts import Agent, Sheet, Workspace
    from analytics.report.figures.splits import Split


def page(workspace: Workspace, sheet: Sheet, timezone: str) -> dict[str, Any]:
    """What the template `workspace.html` prints."""
    subject, calendar = workspace.subject, workspace.subject.coverage.calendar
    linked = [(each.name, assemble.address(each), each.subject) for each in workspace.lines]
    lines = [(_name(each), each.subject) for each in workspace.lines]
    return {
        "workspace": workspace,
        "subject": subject,
        "coverage": subject.coverage,
        "remarks": state.workspace_remarks(workspace),
        "kpis": [*kpis.headline(subject), forecast.kpi(subject), kpis.per_success(subject)],
        "unusual": unusual.table(
            [
                each
                for agent in workspace.agents
                for each in unusual.days(agent.name, f"../{agent.path}", agent.subject)
            ]
        ),
        "charts": {
            "cost": daily.cost(subject, timezone),
            "forecast": forecast.chart(subject, timezone),
            "movers": movers.chart(subject, movers.of_workspace(workspace, sheet, "../")),
            "agents_over_time": overtime.agents(subject, sheet.splits["top"]),
            "agents": members.chart("agent", subject, linked, "all-agents"),
            "failing": failing.chart(subject, linked),
            "models": rankings.chart(rankings.MODELS, subject, sheet.splits["models"]),
            "models_over_time": overtime.models(subject, sheet.splits["models"]),
            "hours": heat.chart(subject, sheet.splits["hours"], timezone),
            "tokens": daily.tokens(subject, timezone),
            "tokens_per_run": spreads.tokens(subject, sheet.splits["spreads"]),
            "failure_rate": failures.failure_rate(subject, timezone),
            "failed_cost": daily.failed_cost(subject, timezone),
            "errors": rankings.chart(rankings.ERRORS, subject, sheet.splits["errors"]),
            "billing": billing.providers(workspace.billing, calendar),
        },
        "platform": billing.platform(workspace.platform, calendar),
        "months": daily.month_table(subject, timezone),
        "agents": comparison("all-agents", "Agent", lines, subject) if lines else None,
        "members": [(agent.data, agent.name) for agent in workspace.agents],
        "data": [workspace.data, f"{workspace.data}-charts"],
        "members_data": f"{workspace.data}-agents",
    }


def data(sheet: Sheet, agents: Split) -> dict[str, dict[str, object]]:
    """The data files of the page, by the end of their names."""
    return {
        "": packed.document(sheet.subject, sheet.splits),
        "-agents": {"splits": {"members": agents.document()}},
    }


def _name(line: Agent) -> Cell:
    remarks = state.standing(line)
    if line.path and not line.subject.recent.run_count:
        remarks.append("no recent runs")
    href = assemble.address(line)
    return Cell(line.name, line.name.casefold(), ", ".join(remarks), href=href)
