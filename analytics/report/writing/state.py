"""How far the data reach and what they miss, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.format import names, numbers
from analytics.format.days import day_in_short, day_in_words
from analytics.report.figures.facts import NO_RUNS, DayState
from analytics.report.marts.rows import NO_AGENT, PLATFORM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from analytics.report.figures.facts import Agent, Subject, Workspace
    from analytics.report.marts.rows import Check


def as_of_line(subject: Subject) -> str:
    """To which instant the data reach, and which day is complete."""
    coverage = subject.coverage
    if coverage.first_day is None:
        return f"Data to {moment(coverage.cut_off)}; no runs yet."
    return f"Data to {moment(coverage.cut_off)}; {_days(subject)}."


def days_line(subject: Subject) -> str:
    """To which day an agent's data reach: it holds for every build of that day."""
    coverage = subject.coverage
    if coverage.first_day is None:
        return "No runs yet."
    if coverage.resting_since:
        return f"No run since {day_in_words(coverage.resting_since)}."
    return f"Data to {day_in_words(coverage.today)}; {_days(subject)}."


def _days(subject: Subject) -> str:
    """How whole yesterday is, and that today is not."""
    coverage = subject.coverage
    yesterday = coverage.calendar.yesterday
    open_count = (subject.days.get(yesterday) or NO_RUNS).open_count
    but = f" but for {numbers.plural(open_count, 'open run')}" if open_count else ""
    standing = {
        DayState.COMPLETE: f"is complete{but}",
        DayState.INCOMPLETE: "is incomplete",
        DayState.NO_DATA: "was not read",
    }[subject.state(yesterday)]
    days = [day_in_short(each, coverage.today.year) for each in (yesterday, coverage.today)]
    return f"yesterday ({days[0]}) {standing}, today ({days[1]}) is still running"


def detail_line(subject: Subject) -> str:
    """How many of the charted runs are listed; empty where there are none."""
    known = subject.over(subject.coverage.chart_period)
    if not known.run_count:
        return ""
    if subject.has_all_details:
        return "Run detail for all runs."
    first = day_in_words(subject.coverage.chart_period.first)
    share = numbers.percent(known.listed_run_count, known.run_count)
    return f"Run detail for {share} of runs since {first}; cost, counts and tokens are of all runs."


def workspace_remarks(workspace: Workspace) -> list[str]:
    """What a reader of a workspace's figures should know about them."""
    quarantined = sum(each.record_count for each in workspace.quarantined)
    remarks = []
    if quarantined:
        remarks.append(f"{numbers.plural(quarantined, 'record')} quarantined")
    return remarks + _run_remarks(workspace.subject)


def agent_remarks(agent: Agent) -> list[str]:
    """What a reader of an agent's figures should know about it and them."""
    remarks = standing(agent)
    if agent.row.first_day:
        remarks.append(f"first run {day_in_words(agent.row.first_day)}")
    return remarks + _run_remarks(agent.subject)


def standing(agent: Agent) -> list[str]:
    """Where the agent is other than active and listed."""
    remarks = []
    if agent.row.status and agent.row.status != "active":
        remarks.append(names.display(agent.row.status))
    if agent.row.key[1] not in {NO_AGENT, PLATFORM} and not agent.row.is_listed:
        remarks.append("no longer in the list of agents")
    return remarks


def _run_remarks(subject: Subject) -> list[str]:
    recent = subject.recent
    period = f"in the 30 days to {day_in_words(subject.coverage.calendar.yesterday)}"
    remarks = []
    if recent.unknown_cost_count:
        runs = numbers.plural(recent.unknown_cost_count, "run")
        remarks.append(f"{runs} of unknown cost {period}, in no sum")
    if recent.no_usage_count:
        runs = numbers.plural(recent.no_usage_count, "successful run")
        remarks.append(f"{runs} {period} with no usage reported")
    return remarks


def checks_in_words(checks: Sequence[Check]) -> str:
    """How many checks passed."""
    failed = sum(not check.is_ok for check in checks)
    if not checks:
        return "No checks were run"
    if failed:
        return f"{numbers.plural(failed, 'check')} of {len(checks)} failed"
    return f"all {len(checks)} checks passed"


def moment(instant: datetime) -> str:
    """An instant in UTC, to the minute."""
    return f"{instant:%Y-%m-%d %H:%M} UTC"
