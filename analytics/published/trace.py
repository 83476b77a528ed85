"""`analytics trace`: from a published figure to the API's responses, with verification."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from analytics.errors import ControlError, UsageError
from analytics.published.agents import find_agent
from analytics.published.sandbox import open_published
from analytics.published.trace_query import (
    AgentDay,
    RunVersion,
    TracedRun,
    agent_day,
    run_by_id,
    runs_of_day,
)
from analytics.published.verify_landing import Findings, verify
from analytics.terminal import visible
from analytics.warehouse.layout import Layout

_SHOWN_FINDINGS = 5


@dataclass(frozen=True)
class Trace:
    """A figure (None for a single run), all of its runs, and the mismatches found."""

    day: AgentDay | None
    runs: list[TracedRun]
    findings: Findings

    @property
    def versions(self) -> list[RunVersion]:
        """Every version of every run."""
        return [version for run in self.runs for version in (run.now, *run.before)]


def trace(
    layout: Layout, *, agent: str | None, day: str | None, workspace: str | None, run_id: str | None
) -> Trace:
    """Trace an agent's day, or one run; UsageError if it does not exist."""
    if run_id is not None and agent is day is workspace is None:
        with open_published(layout.published) as con:
            return _verified(layout, None, run_by_id(con, run_id))
    if run_id is not None or agent is None or day is None:
        raise UsageError("Say --agent and --date (and perhaps --workspace), or --run alone.")
    with open_published(layout.published) as con:
        figure = agent_day(con, find_agent(con, agent, workspace), _date(day))
        return _verified(layout, figure, runs_of_day(con, figure))


def _verified(layout: Layout, day: AgentDay | None, runs: list[TracedRun]) -> Trace:
    found = Trace(day, runs, {})
    return replace(found, findings=verify(layout.root, found.versions))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"`{visible(text)}` is no day: write it as 2026-11-19.") from None


def require_agreement(found: Trace) -> None:
    """Raise ControlError if the runs do not add up, or a landing file differs."""
    broken = [
        f"{file.path}: {finding}" for file, each in found.findings.items() for finding in each
    ]
    if found.day and not found.day.adds_up:
        broken.insert(0, "the runs do not add up to the figure")
    if not broken:
        return
    shown = [visible(finding) for finding in broken[:_SHOWN_FINDINGS]]
    more = len(broken) - len(shown)
    raise ControlError(
        "\n".join(
            ["What was published does not agree with what it was made of.", *shown]
            + ([f"… and {more} more; --json tells all."] if more else [])
        )
    )
