"""The page of one agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.format import numbers
from analytics.format.days import day_in_words
from analytics.report.files import packed
from analytics.report.sections import (
    daily,
    failures,
    forecast,
    kpis,
    rankings,
    runs,
    spreads,
    unusual,
)
from analytics.report.writing import state

if TYPE_CHECKING:
    from analytics.report.figures.facts import Agent, AgentSheet, Subject, Workspace
    from analytics.report.writing.blocks import Chart


CHARTS = "agent-charts"


def page(agent: Agent, sheet: AgentSheet, workspace: Workspace, timezone: str) -> dict[str, Any]:
    """What the template `agent.html` prints."""
    subject = sheet.subject
    return {
        "agent": agent,
        "workspace": workspace,
        "subject": subject,
        "coverage": subject.coverage,
        "remarks": [*state.agent_remarks(agent), *_unusual(subject)],
        "kpis": [
            *kpis.headline(subject),
            forecast.kpi(subject),
            kpis.per_run(sheet.run_costs, subject),
            kpis.per_success(subject),
        ],
        "charts": charts(sheet, timezone),
        "months": daily.month_table(subject, timezone),
        "most_expensive_runs": runs.most_expensive(sheet),
        "newest_runs": runs.newest(sheet),
        "run_count": runs.newest_count(sheet),
        "data": [agent.data, CHARTS],
    }


def _unusual(subject: Subject) -> list[str]:
    return [
        f"unusual: {numbers.usd(each.cost_usd)} on {day_in_words(each.day)}, usually "
        f"{numbers.usd(each.usual_usd)} ({each.driver})"
        for each in unusual.days("", "", subject)
    ]


def charts(sheet: AgentSheet, timezone: str) -> dict[str, Chart]:
    """The charts of the page; what they are drawn from is the same for all agents."""
    subject = sheet.subject
    return {
        "cost": daily.cost(subject, timezone),
        "per_run": daily.per_run(subject, timezone),
        "outcomes": daily.outcomes(subject, timezone),
        "tokens": daily.tokens(subject, timezone),
        "tokens_per_run": spreads.tokens(subject, sheet.splits["spreads"]),
        "durations": spreads.durations(subject, sheet.splits["spreads"]),
        "failure_rate": failures.failure_rate(subject, timezone),
        "failed_cost": daily.failed_cost(subject, timezone),
        "errors": rankings.chart(rankings.ERRORS, subject, sheet.splits["errors"]),
        "models": rankings.chart(rankings.MODELS, subject, sheet.splits["models"]),
        "versions": rankings.chart(rankings.VERSIONS, subject, sheet.splits["versions"]),
        "steps": rankings.chart(rankings.STEPS, subject, sheet.splits["steps"]),
    }


def data(sheet: AgentSheet) -> dict[str, dict[str, object]]:
    """The data files of the page, by the end of their names."""
    is_resting = sheet.subject.coverage.resting_since is not None
    return {
        "": packed.document(sheet.subject, sheet.splits, is_resting=is_resting),
        "-runs": runs.document(sheet),
        "-events": runs.events(sheet),
    }
