"""`analytics trace`: from a published figure to the API's responses, with verification."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from analytics.errors import ControlError, UsageError
from analytics.published.agents import find_agent
from analytics.published.sandbox import open_published
from analytics.published.trace_api import Answer, answers_of_day, verify_answers
from analytics.published.trace_query import (
    AgentDay,
    RunVersion,
    TracedRun,
    agent_day,
    run_by_id,
    runs_of_day,
)
from analytics.published.verify_landing import Findings, verify
from analytics.terminal import escaped
from analytics.warehouse.layout import Layout

_SHOWN_FINDINGS = 5


@dataclass(frozen=True)
class Trace:
    """A figure (None for a single run), its parts, and the mismatches found.

    `answers` are the API's responses with counts and totals, `lines` their lines in landing files.
    """

    day: AgentDay | None
    runs: list[TracedRun]
    answers: list[Answer] = field(default_factory=list)
    findings: Findings = field(default_factory=dict)
    lines: dict[Answer, list[int]] = field(default_factory=dict)

    @property
    def versions(self) -> list[RunVersion]:
        """Every version of every run."""
        return [version for run in self.runs for version in (run.now, *run.before)]


def trace(
    layout: Layout,
    *,
    agent: str | None,
    day: str | None,
    workspace: str | None,
    run_id: str | None,
) -> Trace:
    """Trace an agent's day, or one run; UsageError if it does not exist."""
    if run_id is not None and agent is day is workspace is None:
        with open_published(layout.published) as con:
            runs = run_by_id(con, run_id)
        found = Trace(None, runs)
        return Trace(None, runs, findings=verify(layout.root, found.versions))
    if run_id is not None or agent is None or day is None:
        raise UsageError("Say --agent and --date (and perhaps --workspace), or --run alone.")
    with open_published(layout.published) as con:
        figure = agent_day(con, find_agent(con, agent, workspace), _date(day))
        runs, answers = runs_of_day(con, figure), answers_of_day(con, figure)
    findings = verify(layout.root, Trace(figure, runs).versions)
    more, lines = verify_answers(layout.root, figure, answers)
    return Trace(figure, runs, answers, findings | more, lines)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"`{escaped(text)}` is no day: write it as 2026-11-19.") from None


def require_agreement(found: Trace) -> None:
    """Raise ControlError if the parts do not add up, or a landing file differs."""
    broken = [
        f"{file.path}: {finding}" for file, each in found.findings.items() for finding in each
    ]
    if found.day and not found.day.adds_up:
        broken.insert(0, "the parts do not add up to the figure")
    if not broken:
        return
    shown = [escaped(finding) for finding in broken[:_SHOWN_FINDINGS]]
    more = len(broken) - len(shown)
    raise ControlError(
        "\n".join(
            ["What was published does not agree with what it was made of.", *shown]
            + ([f"… and {more} more; --json has all."] if more else [])
        )
    )
