"""From the rows of the marts to workspaces and agents with their figures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analytics.format import names
from analytics.report.figures import splits
from analytics.report.figures.facts import (
    Agent,
    AgentSheet,
    Coverage,
    Sheet,
    Subject,
    Workspace,
    known_sum,
    total,
)
from analytics.report.figures.periods import RECENT_DAYS
from analytics.report.marts import details, reads
from analytics.report.marts.details import AgentDetails, Details
from analytics.report.marts.rows import (
    NO_AGENT,
    PLATFORM,
    WHOLE,
    AgentRow,
    ForecastRow,
    WorkspaceRow,
)
from analytics.report.marts.run_reads import Runs
from analytics.report.sections import members, overtime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    import duckdb

    from analytics.report.figures.facts import Measures
    from analytics.report.figures.splits import Split
    from analytics.report.marts.rows import AgentKey

_REST = timedelta(days=RECENT_DAYS + 1)  # from then on, nothing of an agent is recent


def workspaces(
    con: duckdb.DuckDBPyConnection, as_of: datetime, timezone: ZoneInfo
) -> list[Workspace]:
    """Every workspace with its agents, read from the schema `marts`."""
    rows = reads.workspaces(con)
    if not rows:
        return []
    coverages = {row.workspace_id: _coverage_of(row, as_of, timezone) for row in rows}
    marts = reads.Marts(con, {key: coverage.calendar for key, coverage in coverages.items()})
    forecasts = marts.forecasts()
    lines = _lines(marts, coverages, forecasts)
    days, months = marts.workspace_days(), marts.workspace_months()
    versions = marts.versions_of_weeks()
    billing, platform, quarantined = marts.billing(), marts.platform(), marts.quarantined()
    return [
        Workspace(
            row,
            names.display(row.name, row.workspace_id),
            f"workspaces/{names.file_name(row.workspace_id)}",
            Subject(
                coverages[row.workspace_id],
                days.get(row.workspace_id, {}),
                months.get(row.workspace_id, {}),
                row.first_day,
                forecasts.get((row.workspace_id, WHOLE)),
            ),
            lines[row.workspace_id],
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
        _summed([part.subject.forecast for part in parts], whole.today),
    )


def _summed(parts: list[ForecastRow | None], today: date) -> ForecastRow | None:
    """The forecasts of all workspaces added up, so that the range is on the safe side."""
    known = [each for each in parts if each and each.month == today.replace(day=1)]
    if not known or len(known) < len(parts):
        return None
    names = ("cost_to_date_usd", "low_usd", "expected_usd", "high_usd")
    columns = {name: [getattr(each, name) for each in known] for name in names}
    sums: dict[str, Any] = {
        name: None if None in each else known_sum(each) for name, each in columns.items()
    }
    return replace(
        known[0],
        **sums,
        days_left=max(each.days_left for each in known),
        basis_day_count=min(each.basis_day_count for each in known),
        tested_month_count=0,
        hit_month_count=0,
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
    today = last + _REST
    incomplete = frozenset(day for day in coverage.incomplete_days if day < today)
    return replace(
        agent.subject,
        coverage=replace(coverage, today=today, incomplete_days=incomplete, resting_since=last),
        forecast=None,
        unusual=(),
    )


def agent_split(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> Split:
    """The days of all lines of a workspace, over its whole history."""
    key, calendar = workspace.row.workspace_id, workspace.subject.coverage.calendar
    pages = {each.row.key[1]: (each.name, address(each)) for each in workspace.lines}
    rows = reads.Marts(con, {key: calendar}).member_days(key, members.MEASURES)
    return splits.of_rows(
        calendar.history.first,
        members.MEASURES,
        [(row[1], pages[row[0]], row[2:]) for row in rows],
    )


def address(line: Agent, root: str = "../") -> str:
    """Where the page of a line is, from a page whose way to the site's folder is `root`."""
    return f"{root}{line.path}" if line.path else ""


def top_agents(workspace: Workspace) -> Split:
    """The cost of each day by the workspace's most expensive agents, and all others."""
    return overtime.most_expensive(workspace.subject, workspace.lines)


def _lines(
    marts: reads.Marts,
    coverages: dict[str, Coverage],
    forecasts: Mapping[AgentKey, ForecastRow],
) -> dict[str, list[Agent]]:
    days, months, unusual = marts.agent_days(), marts.agent_months(), marts.unusual_days()
    lines: dict[str, list[Agent]] = {workspace_id: [] for workspace_id in coverages}
    for row in marts.agents():
        workspace_id = row.key[0]
        lines[workspace_id].append(
            Agent(
                row,
                names.display(row.name, row.slug, row.key[1]),
                _path(row),
                Subject(
                    coverages[workspace_id],
                    days.get(row.key, {}),
                    months.get(row.key, {}),
                    row.first_day,
                    forecasts.get(row.key),
                    unusual.get(row.key, ()),
                ),
            )
        )
    for group in lines.values():
        group.sort(key=_most_expensive_first)
    return lines


def _most_expensive_first(agent: Agent) -> tuple[Decimal, str, str]:
    cost = agent.subject.recent.cost_usd or Decimal(0)
    return -cost, agent.name.casefold(), agent.row.key[1]


def _path(row: AgentRow) -> str:
    workspace_id, agent_id = row.key
    if agent_id == PLATFORM:
        return ""
    identity = (workspace_id, "", "no-agent") if agent_id == NO_AGENT else row.key
    return f"agents/{names.file_name(*identity)}"


def _coverage_of(row: WorkspaceRow, as_of: datetime, timezone: ZoneInfo) -> Coverage:
    coverage = _coverage(row.first_day, row.cut_off or as_of, timezone)
    incomplete = frozenset(day for day in row.incomplete_days if day < coverage.today)
    return replace(coverage, incomplete_days=incomplete)


def _coverage(first_day: date | None, cut_off: datetime, timezone: ZoneInfo) -> Coverage:
    return Coverage(first_day, cut_off.astimezone(UTC), cut_off.astimezone(timezone).date())
