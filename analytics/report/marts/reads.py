"""The SQL of the reports: one query a relation, for many workspaces or agents at once."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeVar

from analytics.report.figures.facts import MEASURE_COLUMNS, Measures
from analytics.report.marts.rows import (
    AgentKey,
    AgentRow,
    Check,
    ForecastRow,
    PlatformMonth,
    ProviderMonth,
    Quarantined,
    UnusualDay,
    WorkspaceRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    import duckdb

    from analytics.report.figures.periods import Calendar

K = TypeVar("K")
V = TypeVar("V")


def workspaces(con: duckdb.DuckDBPyConnection) -> list[WorkspaceRow]:
    """Every workspace, by name; its data begin with its first complete day, if it has any figure.

    Where no day is complete yet, they begin with the first that has a figure.
    """
    rows = con.execute("""
        with firsts as (
            select workspace_id, coalesce(min(date) filter (is_complete), min(date)) as first_date
            from marts.dim_dates semi join marts.fct_workspace_days using (workspace_id)
            group by workspace_id
        ), incomplete as (
            select workspace_id, list(date order by date) as dates
            from marts.dim_dates join firsts using (workspace_id)
            where not is_complete and date >= first_date group by workspace_id
        )
        select workspace_id, workspace_name, last_batch_at at time zone 'UTC', first_date, dates
        from marts.dim_workspaces
        left join firsts using (workspace_id)
        left join incomplete using (workspace_id)
        order by workspace_name, workspace_id""").fetchall()
    return [
        WorkspaceRow(row[0], row[1], in_utc(row[2]), row[3], tuple(row[4] or ())) for row in rows
    ]


def checks(con: duckdb.DuckDBPyConnection) -> list[Check]:
    """Every check, the failed ones first."""
    rows = con.execute("""
        select check_name, claim, violation_count, is_ok
        from audit.check_results order by is_ok, check_name""").fetchall()
    return [Check(*row) for row in rows]


class Marts:
    """Reads what the site as a whole needs, each workspace for the periods of its calendar."""

    def __init__(self, con: duckdb.DuckDBPyConnection, calendars: Mapping[str, Calendar]) -> None:
        self._con = con
        self._parameters: list[str | date] = []
        for workspace_id, each in calendars.items():
            self._parameters += [workspace_id, each.history.first, each.since]
            self._parameters += [each.last_month.first, each.today]
        values = ", ".join(["(?, ?, ?, ?, ?)"] * len(calendars))
        self._calendar = f"""with calendar (
            workspace_id, history_first, since, last_month_first, today
        ) as (values {values}) """

    def agents(self) -> list[AgentRow]:
        """Every known agent, and of runs without one and of the platform those with figures."""
        rows = self._rows("""
            select workspace_id, agent_id, any_value(a.agent_name), any_value(a.agent_slug),
                any_value(status), coalesce(bool_or(is_listed), false), min(date), max(date)
            from marts.dim_agents as a
            full join marts.fct_agent_days as d using (workspace_id, agent_id)
            semi join calendar using (workspace_id)
            group by workspace_id, agent_id
            having any_value(a.line_type) = 'agent' or count(date) > 0
            order by workspace_id, agent_id""")
        return [AgentRow((row[0], row[1]), *row[2:]) for row in rows]

    def workspace_days(self) -> dict[str, dict[date, Measures]]:
        """Measures by workspace and day, for the whole history that is shown."""
        return self._by_time("workspace_id", "fct_workspace_days", "date", "history_first")

    def agent_days(self) -> dict[AgentKey, dict[date, Measures]]:
        """Measures by agent and day, for the periods that are compared."""
        return self._by_time("(workspace_id, agent_id)", "fct_agent_days", "date", "since")

    def forecasts(self) -> dict[AgentKey, ForecastRow]:
        """How the current month will end, by line, and for a workspace under `(all)`."""
        rows = self._rows("""
            select workspace_id, agent_id, month, cost_to_date_usd, low_usd, expected_usd,
                high_usd, days_left, basis_day_count, tested_month_count, hit_month_count
            from marts.fct_forecasts semi join calendar using (workspace_id)""")
        return {(row[0], row[1]): ForecastRow(*row[2:]) for row in rows}

    def unusual_days(self) -> dict[AgentKey, list[UnusualDay]]:
        """The unusual days of the last seven, by line, the newest first."""
        rows = self._rows("""
            select (workspace_id, agent_id), date, cost_usd, usual_cost_usd, run_count,
                usual_runs, usd_per_run, usual_usd_per_run, cause
            from marts.fct_unusual_days join calendar using (workspace_id)
            where date between today - 7 and today - 1 order by date desc""")
        return grouped((row[0], UnusualDay(*row[1:])) for row in rows)

    def versions_of_weeks(self) -> dict[str, list[tuple[Any, ...]]]:
        """By agent and version, cost and runs of the last seven complete days and of those before.

        Rows are agent, version, and cost and runs of each week.
        """
        rows = self._rows("""
            select workspace_id, agent_id, agent_version,
                coalesce(sum(cost_usd) filter (date >= today - 7), 0),
                coalesce(sum(cost_usd) filter (date < today - 7), 0),
                count(*) filter (date >= today - 7), count(*) filter (date < today - 7)
            from marts.fct_runs join calendar using (workspace_id)
            where date between today - 14 and today - 1
            group by all order by all""")
        return grouped((row[0], row[1:]) for row in rows)

    def member_days(self, workspace_id: str, measures: Sequence[str]) -> list[tuple[Any, ...]]:
        """Each day of each line of a workspace: line, day, and the measures."""
        return self._rows(
            f"""
            select agent_id, date, {", ".join(measures)}
            from (
                select *, succeeded_count + failed_count as finished_count
                from marts.fct_agent_days
            ) join calendar using (workspace_id)
            where workspace_id = ? and date between history_first and today
            order by date, agent_id""",
            [workspace_id],
        )

    def workspace_months(self) -> dict[str, dict[date, Measures]]:
        """Measures by workspace and month, for the last 13 months."""
        since = "date_trunc('month', today) - interval 12 months"
        return self._by_time("workspace_id", "fct_workspace_months", "month", since)

    def agent_months(self) -> dict[AgentKey, dict[date, Measures]]:
        """Measures by agent and month, for the last 13 months."""
        since = "date_trunc('month', today) - interval 12 months"
        return self._by_time("(workspace_id, agent_id)", "fct_agent_months", "month", since)

    def billing(self) -> dict[str, list[ProviderMonth]]:
        """Bills by month and provider."""
        rows = self._rows("""
            select workspace_id, sum(cost_usd), sum(surcharge_usd), sum(own_key_usd),
                sum(billed_usd), provider, date_trunc('month', utc_date)::date as month
            from marts.fct_billing_days join calendar using (workspace_id)
            where utc_date >= last_month_first
            group by all order by workspace_id, month, provider""")
        return grouped((row[0], ProviderMonth(*row[1:])) for row in rows)

    def platform(self) -> dict[str, list[PlatformMonth]]:
        """What the platform's own agents did, by month."""
        rows = self._rows("""
            select workspace_id, date_trunc('month', utc_date)::date as month,
                platform_agent_id,
                any_value(platform_agent_name), any_value(platform_agent_slug),
                coalesce(sum(run_count), 0)::bigint, sum(cost_usd), sum(billed_usd)
            from marts.fct_platform_agent_days join calendar using (workspace_id)
            where utc_date >= last_month_first
            group by all order by workspace_id, month, platform_agent_id""")
        return grouped((row[0], PlatformMonth(*row[1:])) for row in rows)

    def quarantined(self) -> dict[str, list[Quarantined]]:
        """Records that could not be understood, by source and reason."""
        rows = self._rows("""
            select workspace_id, source, coalesce(reason, ''), count(*)
            from audit.quarantined_records semi join calendar using (workspace_id)
            group by all order by all""")
        return grouped((row[0], Quarantined(*row[1:])) for row in rows)

    def _by_time(self, key: str, relation: str, time: str, since: str) -> dict[Any, Any]:
        rows = self._rows(f"""
            select {key}, {time}, {measures_of(relation)}
            from marts.{relation} join calendar using (workspace_id)
            where {time} between {since} and today order by {time}""")
        return by_time(rows)

    def _rows(self, sql: str, more: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._con.execute(self._calendar + sql, [*self._parameters, *more]).fetchall()


def measures_of(relation: str) -> str:
    """SQL of the measures that a mart of days or months has; a line has no part of the platform's.

    The platform's own line is that part as a whole.
    """
    columns = list(MEASURE_COLUMNS)
    if "agent" in relation:
        platform = columns.index("platform_cost_usd")
        columns[platform] = "if(line_type = 'platform', cost_usd, 0)"
    return ", ".join(columns)


def by_time(rows: Iterable[tuple[Any, ...]]) -> dict[Any, dict[date, Measures]]:
    """Rows of an entity, a time and its measures, by entity and time."""
    series = grouped((entity, (moment, Measures(*rest))) for entity, moment, *rest in rows)
    return {entity: dict(each) for entity, each in series.items()}


def grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """The values of each key, in order."""
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def in_utc(moment: datetime | None) -> datetime | None:
    """An instant that was read as UTC without saying so."""
    return moment and moment.replace(tzinfo=UTC)
