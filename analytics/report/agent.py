"""The page of one agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.report import breakdowns, daily, failures, kpis, names, numbers, state
from analytics.report.tables import Cell, Column, Table

if TYPE_CHECKING:
    from analytics.report.facts import Agent, Workspace
    from analytics.report.rows import Run


def page(agent: Agent, workspace: Workspace, timezone: str) -> dict[str, Any]:
    """What the template `agent.html` prints."""
    subject = agent.subject
    return {
        "agent": agent,
        "workspace": workspace,
        "coverage": subject.coverage,
        "remarks": state.agent_remarks(agent),
        "kpis": [
            *kpis.headline(subject),
            kpis.per_run(agent.run_costs, subject),
            kpis.per_success(subject),
        ],
        "charts": {
            "cost": daily.cost(subject, timezone),
            "outcomes": daily.outcomes(subject, timezone),
            "tokens": daily.tokens(subject, timezone),
            "failure_rate": failures.failure_rate(subject, timezone),
            "failed_cost": failures.failed_cost(subject, timezone),
            "errors": breakdowns.errors(subject, agent.errors),
            "models": breakdowns.models(subject, agent.models),
            "versions": failures.versions(subject, agent.versions, timezone),
        },
        "months": daily.month_table(subject, timezone),
        "dearest_runs": _runs_table(agent, timezone),
    }


def _runs_table(agent: Agent, timezone: str) -> Table | None:
    if not agent.dearest_runs:
        return None
    period = agent.subject.coverage.chart_period
    return Table(
        "runs",
        f"The {numbers.plural(len(agent.dearest_runs), 'dearest run')}, {period}, {timezone}; "
        "times in UTC",
        [
            Column("Run", "text"),
            Column("Cost"),
            Column("Status", "text"),
            Column("Created", "text"),
            Column("Version"),
            Column("Duration"),
            Column("Tokens in"),
            Column("Tokens out"),
        ],
        [_run_row(run) for run in agent.dearest_runs],
        is_sortable=True,
    )


def _run_row(run: Run) -> list[Cell | str]:
    error = names.display(run.error_class) if run.error_class else ""
    return [
        Cell(names.display(run.run_id)),
        Cell(numbers.usd_fine(run.cost_usd), numbers.usd_exact(run.cost_usd)),
        Cell(names.display(run.status), note=error),
        f"{run.created_at:%Y-%m-%d %H:%M}",
        Cell(
            "" if run.agent_version is None else f"v{run.agent_version}", _sort(run.agent_version)
        ),
        Cell(numbers.duration(run.duration_seconds), _sort(run.duration_seconds)),
        Cell(numbers.tokens(run.tokens_in), _sort(run.tokens_in)),
        Cell(numbers.tokens(run.tokens_out), _sort(run.tokens_out)),
    ]


def _sort(value: float | None) -> str:
    return "" if value is None else str(value)
