"""From the rows of the marts to workspaces and agents with their figures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.report.figures import splits
from analytics.report.figures.facts import (
    Agent,
    AgentSheet,
    Coverage,
    Sheet,
    Subject,
    Workspace,
    total,
)
from analytics.report.figures.periods import RECENT_DAYS, Period
from analytics.report.marts import details, reads
from analytics.report.marts.details import AgentDetails, Details
from analytics.report.marts.run_reads import Runs
from analytics.report.sections import members, overtime
from analytics.report.writing import names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import duckdb

    from analytics.report.figures.facts import Measures
    from analytics.report.figures.splits import Split
    from analytics.report.marts.rows import AgentRow, Gap

NO_AGENT = "No agent"
_REST = timedelta(days=RECENT_DAYS + 1)  # from then on, nothing of an agent is recent


def workspaces(
    con: duckdb.DuckDBPyConnection, as_of: datetime, timezone: ZoneInfo
) -> list[Workspace]:
    """Every workspace with its agents, read from the schema `marts`."""
    rows = reads.workspaces(con)
    if not rows:
        return []
    coverages = {
        row.workspace_id: _coverage(row.first_day, row.cut_off or as_of, timezone) for row in rows
    }
    marts = reads.Marts(con, {key: coverage.calendar for key, coverage in coverages.items()})
    gaps = marts.gaps()
    agents = _agents(marts, coverages, gaps, timezone)
    days, months = marts.workspace_days(), marts.workspace_months()
    versions = marts.versions_of_weeks()
    billing, platform, quarantined = marts.billing(), marts.platform(), marts.quarantined()
    return [
        Workspace(
            row,
            names.display(row.name, row.workspace_id),
            f"workspaces/{names.file_name(row.workspace_id)}",
            Subject(
                _together(coverages[row.workspace_id], agents[row.workspace_id]),
                days.get(row.workspace_id, {}),
                months.get(row.workspace_id, {}),
                row.first_day,
            ),
            agents[row.workspace_id],
            billing.get(row.workspace_id, []),
            platform.get(row.workspace_id, []),
            quarantined.get(row.workspace_id, []),
            versions.get(row.workspace_id, []),
        )
        for row in rows
    ]


def everything(parts: list[Workspace], as_of: datetime, timezone: ZoneInfo) -> Subject:
    """All workspaces as one; a day is as complete as it is for the least complete of them."""
    days: defaultdict[date, list[Measures]] = defaultdict(list)
    months: defaultdict[date, list[Measures]] = defaultdict(list)
    incomplete: set[date] = set()
    first_days = [part.row.first_day for part in parts if part.row.first_day]
    whole = _coverage(min(first_days, default=None), as_of, timezone)
    for part in parts:
        for day, measures in part.subject.days.items():
            days[day].append(measures)
        for month, measures in part.subject.months.items():
            months[month].append(measures)
        incomplete |= part.subject.coverage.seen_on(whole.today).incomplete_days
    return Subject(
        replace(whole, incomplete_days=frozenset(incomplete)),
        {day: total(measures) for day, measures in days.items()},
        {month: total(measures) for month, measures in months.items()},
        whole.first_day,
    )


def workspace_sheets(
    con: duckdb.DuckDBPyConnection, parts: Sequence[Workspace], timezone: str
) -> list[Sheet]:
    """What the page of each workspace shows, day by day."""
    if not parts:
        return []
    calendars = {part.row.workspace_id: part.subject.coverage.calendar for part in parts}
    read = Details(con, details.WORKSPACES, calendars, timezone)
    known = read.splits(details.SPLITS)
    return [
        Sheet(part.subject, known[part.row.workspace_id] | {"top": top_agents(part)})
        for part in parts
    ]


def agent_sheets(
    con: duckdb.DuckDBPyConnection, agents: Sequence[Agent], timezone: str
) -> list[AgentSheet]:
    """What the page of each of some agents shows, day by day and run by run."""
    subjects = {agent.row.key: page_subject(agent) for agent in agents}
    calendars = {key: subject.coverage.calendar for key, subject in subjects.items()}
    read = AgentDetails(con, calendars, timezone)
    days, known, run_costs = read.days(), read.splits(details.AGENT_SPLITS), read.run_costs()
    single = Runs(con)
    listed, runs, models, events = single.listed(), single.runs(), single.models(), single.events()
    return [
        AgentSheet(
            replace(subject, days=days.get(key, {})),
            known[key],
            run_costs.get(key),
            listed.get(key, []),
            runs.get(key, {}),
            models.get(key, {}),
            events.get(key, {}),
        )
        for key, subject in subjects.items()
    ]


def empty_sheet(as_of: datetime, timezone: ZoneInfo) -> AgentSheet:
    """The sheet of an agent without a run."""
    subject = Subject(_coverage(None, as_of, timezone), {}, {}, None)
    none = splits.empty(subject.coverage.calendar.history.first)
    return AgentSheet(subject, defaultdict(lambda: none), None, [], {}, {}, {})


def page_subject(agent: Agent) -> Subject:
    """The agent as its page shows it: that of one that rests does not move with the days."""
    coverage, last = agent.subject.coverage, agent.row.last_day
    if last is None or last + _REST >= coverage.today:
        return agent.subject
    return replace(
        agent.subject, coverage=replace(coverage, today=last + _REST, resting_since=last)
    )


def agent_split(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> Split:
    """The days of all agents of a workspace, over its whole history."""
    key, calendar = workspace.row.workspace_id, workspace.subject.coverage.calendar
    pages = {agent.row.key[1]: (agent.name, f"../{agent.path}") for agent in workspace.agents}
    rows = reads.Marts(con, {key: calendar}).agent_costs(key)
    return splits.of_rows(
        calendar.history.first,
        members.MEASURES,
        [(row[1], pages[row[0]], row[2:]) for row in rows],
    )


def top_agents(workspace: Workspace) -> Split:
    """The cost of each day by the workspace's most expensive agents, and all others."""
    return overtime.most_expensive(workspace.subject, workspace.agents)


def _agents(
    marts: reads.Marts,
    coverages: dict[str, Coverage],
    gaps: dict[str, list[Gap]],
    timezone: ZoneInfo,
) -> dict[str, list[Agent]]:
    days, months = marts.agent_days(), marts.agent_months()
    agents: dict[str, list[Agent]] = {workspace_id: [] for workspace_id in coverages}
    for row in marts.agents():
        workspace_id, agent_id = row.key
        own = [each for each in gaps.get(workspace_id, []) if each.agent_id in {None, agent_id}]
        agents[workspace_id].append(
            Agent(
                row,
                _agent_name(row),
                f"agents/{names.file_name(*_identity(row))}",
                Subject(
                    _with_gaps(coverages[workspace_id], own, row.first_counted_day, timezone),
                    days.get(row.key, {}),
                    months.get(row.key, {}),
                    row.first_day,
                ),
            )
        )
    for group in agents.values():
        group.sort(key=_most_expensive_first)
    return agents


def _most_expensive_first(agent: Agent) -> tuple[Decimal, str, str]:
    cost = agent.subject.recent.complete_cost_usd or Decimal(0)
    return -cost, agent.name.casefold(), agent.row.key[1] or ""


def _identity(row: AgentRow) -> tuple[str, ...]:
    workspace_id, agent_id = row.key
    return (workspace_id, agent_id) if agent_id is not None else (workspace_id, "", "no-agent")


def _agent_name(row: AgentRow) -> str:
    if row.key[1] is None:
        return NO_AGENT
    return names.display(row.name, row.slug, row.key[1])


def _coverage(first_day: date | None, cut_off: datetime, timezone: ZoneInfo) -> Coverage:
    return Coverage(first_day, cut_off.astimezone(UTC), cut_off.astimezone(timezone).date())


def _together(coverage: Coverage, agents: Sequence[Agent]) -> Coverage:
    """That of a workspace: a day is incomplete where it is so for any of its agents."""
    days = frozenset[date]().union(*(each.subject.coverage.incomplete_days for each in agents))
    return replace(coverage, incomplete_days=days)


def _with_gaps(
    coverage: Coverage, gaps: list[Gap], counted_from: date | None, timezone: ZoneInfo
) -> Coverage:
    """What an agent's list lacks is unknown only for days on which its runs were not counted.

    They are counted by UTC day, once it has ended: east of it, yesterday may still be running.
    """
    if not gaps or coverage.first_day is None:
        return coverage
    running = coverage.cut_off.date()
    days = {
        day
        for gap in gaps
        for day in Period(
            gap.after.astimezone(timezone).date() if gap.after else coverage.first_day,
            gap.before.astimezone(timezone).date(),
        ).days()
        if counted_from is None or day < counted_from or running <= day < coverage.today
    }
    return replace(coverage, incomplete_days=frozenset(days))
