"""The page of all workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.format import names, numbers
from analytics.report.files import packed
from analytics.report.marts.rows import NO_AGENT
from analytics.report.sections import daily, failures, forecast, kpis, members, movers, unusual
from analytics.report.sections.comparison import comparison
from analytics.report.writing import state
from analytics.report.writing.tables import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.figures.facts import Sheet, Subject, Workspace
    from analytics.report.marts.rows import Check


def page(
    workspaces: Sequence[Workspace],
    sheets: Sequence[Sheet],
    subject: Subject,
    checks: Sequence[Check],
    timezone: str,
) -> dict[str, Any]:
    """What the template `overview.html` prints."""
    lagging = [
        workspace
        for workspace in workspaces
        if workspace.subject.coverage.today < subject.coverage.today
    ]
    lines = [(_name(workspace), workspace.subject) for workspace in workspaces]
    return {
        "workspaces": workspaces,
        "subject": subject,
        "coverage": subject.coverage,
        "lagging": lagging,
        "kpis": [*kpis.headline(subject), forecast.kpi(subject)],
        "unusual": unusual.table(
            [
                each
                for workspace in workspaces
                for agent in workspace.agents
                for each in unusual.days(agent.name, agent.path, agent.subject)
            ]
        ),
        "charts": {
            "cost": daily.cost(subject, timezone),
            "forecast": forecast.chart(subject, timezone),
            "movers": movers.chart(subject, _movers(workspaces, sheets)),
            "workspaces": members.chart(
                "workspace",
                subject,
                [(each.name, each.path, each.subject) for each in workspaces],
                "workspaces",
            ),
            "failed_cost": daily.failed_cost(subject, timezone),
            "failure_rate": failures.failure_rate(subject, timezone),
        },
        "months": daily.month_table(subject, timezone),
        "table": comparison("workspaces", "Workspace", lines, subject) if lines else None,
        "remarks": [(each, state.workspace_remarks(each)) for each in workspaces],
        "checks_line": state.checks_in_words(checks),
        "broken_checks": _checks_table(
            "checks", "Failed checks", [check for check in checks if not check.is_ok]
        ),
        "held_checks": _checks_table(
            "held-checks", "Passed checks", [check for check in checks if check.is_ok]
        ),
        "quarantine_table": _quarantine_table(workspaces),
        "members": [(workspace.data, workspace.name) for workspace in workspaces],
        "data": ["overview", "overview-charts"],
    }


def data(workspaces: Sequence[Workspace], subject: Subject) -> dict[str, object]:
    """The data file of the page."""
    parts = [(each.name, each.path, each.subject.days) for each in workspaces]
    first = subject.coverage.calendar.history.first
    return packed.document(subject, {"members": members.split(first, parts)})


def _movers(workspaces: Sequence[Workspace], sheets: Sequence[Sheet]) -> list[movers.Mover]:
    return [
        mover
        for workspace, sheet in zip(workspaces, sheets, strict=True)
        for mover in movers.of_workspace(workspace, sheet, "")
    ]


def _name(workspace: Workspace) -> Cell:
    agent_count = sum(agent.row.key[1] != NO_AGENT for agent in workspace.agents)
    note = numbers.plural(agent_count, "agent")
    return Cell(workspace.name, workspace.name.casefold(), note, href=workspace.path)


def _checks_table(key: str, caption: str, checks: Sequence[Check]) -> Table | None:
    if not checks:
        return None
    return Table(
        key,
        caption,
        [Column("Claim", "name"), Column("Check", "name"), Column("Violations")],
        [
            [
                names.visible(check.claim or check.name),
                names.visible(check.name),
                numbers.count(check.violation_count),
            ]
            for check in checks
        ],
    )


def _quarantine_table(workspaces: Sequence[Workspace]) -> Table | None:
    rows = [
        [
            workspace.name,
            names.visible(each.source),
            names.visible(each.reason),
            numbers.count(each.record_count),
        ]
        for workspace in workspaces
        for each in workspace.quarantined
    ]
    if not rows:
        return None
    return Table(
        "quarantined",
        "Quarantined records: not understood, and in no figure",
        [
            Column("Workspace", "name"),
            Column("Source", "name"),
            Column("Reason", "name"),
            Column("Records"),
        ],
        rows,
    )
