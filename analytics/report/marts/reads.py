"""The SQL of the reports: one query a relation, for many workspaces or agents at once."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeVar

from analytics.report.figures.facts import GAP_COLUMNS, LISTED_COLUMNS, MEASURE_COLUMNS, Measures
from analytics.report.marts.rows import (
    AgentKey,
    AgentRow,
    Check,
    Gap,
    PlatformMonth,
    ProviderMonth,
    Quarantined,
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
    """Every workspace, by name; its data begin where its meters do, if it has any run."""
    rows = con.execute("""
        with runs as (
            select workspace_id, min(date) as first_date
            from (
                select workspace_id, date from marts.fct_workspace_days
                union all
                select workspace_id, date from marts.fct_listing_gaps
            ) group by workspace_id
        ), metered as (
            select workspace_id, min(date) as first_date
            from audit.reconciliation_days group by workspace_id
        )
        select workspace_id, workspace_name, last_batch_at at time zone 'UTC',
            if(runs.first_date is null, null, coalesce(metered.first_date, runs.first_date))
        from marts.dim_workspaces
        left join runs using (workspace_id)
        left join metered using (workspace_id)
        order by workspace_name, workspace_id""").fetchall()
    return [WorkspaceRow(row[0], row[1], in_utc(row[2]), row[3]) for row in rows]


def checks(con: duckdb.DuckDBPyConnection) -> list[Check]:
    """Every control, those that do not hold first."""
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
        """Every known agent, and one without an id where a workspace has runs of no agent."""
        rows = self._rows("""
            select workspace_id, agent_id, any_value(a.agent_name), any_value(a.agent_slug),
                any_value(status), coalesce(bool_or(is_listed), false),
                any_value(first_counted_date), min(date), max(date)
            from marts.dim_agents as a
            full join (
                select workspace_id, agent_id, date from marts.fct_agent_days
                union
                select workspace_id, agent_id, date from marts.fct_listing_gaps
            ) as d using (workspace_id, agent_id)
            semi join calendar using (workspace_id)
            group by all order by workspace_id, agent_id""")
        return [AgentRow((row[0], row[1]), *row[2:]) for row in rows]

    def workspace_days(self) -> dict[str, dict[date, Measures]]:
        """Measures by workspace and day, for the whole history that is shown."""
        return self._by_time("workspace_id", "fct_workspace_days", "date", "history_first")

    def agent_days(self) -> dict[AgentKey, dict[date, Measures]]:
        """Measures by agent and day, for the periods that are compared."""
        return self._by_time("(workspace_id, agent_id)", "fct_agent_days", "date", "since")

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

    def agent_costs(self, workspace_id: str) -> list[tuple[Any, ...]]:
        """Each day of each agent of a workspace: agent, day, and what members are ranked by."""
        return self._rows(
            f"""
            select agent_id, date,
                coalesce(listed_usd + hidden_usd, listed_usd, hidden_usd),
                gap_cost_usd, run_count + missing_run_count, missing_run_count,
                if(is_listed, failed_count, null),
                if(is_listed, succeeded_count + failed_count, null),
                if(is_listed, failed_cost_usd, null), listed_usd
            from (
                select *, run_count > 0 or missing_run_count = 0 as is_listed,
                    if(is_listed, cost_usd, null) as listed_usd,
                    if(missing_run_count > 0, gap_cost_usd, null) as hidden_usd
                from ({with_gaps("fct_agent_days", "date")})
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
        """Cost and billed amounts by month and provider."""
        rows = self._rows("""
            select workspace_id, sum(cost_usd), sum(billed_usd), sum(not_billed_usd),
                coalesce(provider, '') as provider, date_trunc('month', date)::date as month
            from marts.fct_billing_days join calendar using (workspace_id)
            where date >= last_month_first group by all order by workspace_id, month, provider""")
        return grouped((row[0], ProviderMonth(*row[1:])) for row in rows)

    def platform(self) -> dict[str, list[PlatformMonth]]:
        """What the platform's own agents did, by month."""
        rows = self._rows("""
            select workspace_id, date_trunc('month', date)::date as month,
                platform_agent_id,
                any_value(platform_agent_name), any_value(platform_agent_slug),
                coalesce(sum(run_count), 0)::bigint, sum(cost_usd), sum(billed_usd)
            from marts.fct_platform_agent_days join calendar using (workspace_id)
            where date >= last_month_first
            group by all order by workspace_id, month, platform_agent_id""")
        return grouped((row[0], PlatformMonth(*row[1:])) for row in rows)

    def gaps(self) -> dict[str, list[Gap]]:
        """The windows that no pull of a run list covers, the newest first."""
        rows = self._rows("""
            select workspace_id, agent_id, gap_after at time zone 'UTC',
                gap_before at time zone 'UTC'
            from audit.list_snapshots semi join calendar using (workspace_id)
            where gap_before is not null
            order by workspace_id, gap_before desc, agent_id""")
        return grouped(
            (row[0], Gap(row[1], in_utc(row[2]), row[3].replace(tzinfo=UTC))) for row in rows
        )

    def quarantined(self) -> dict[str, list[Quarantined]]:
        """Records that could not be understood, by source and reason."""
        rows = self._rows("""
            select workspace_id, source, coalesce(reason, ''), count(*)
            from audit.quarantined_records semi join calendar using (workspace_id)
            group by all order by all""")
        return grouped((row[0], Quarantined(*row[1:])) for row in rows)

    def _by_time(self, key: str, relation: str, time: str, since: str) -> dict[Any, Any]:
        rows = self._rows(f"""
            select {key}, {time}, {", ".join(MEASURE_COLUMNS)}
            from ({with_gaps(relation, time)}) join calendar using (workspace_id)
            where {time} between {since} and today order by {time}""")
        return by_time(rows)

    def _rows(self, sql: str, more: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._con.execute(self._calendar + sql, [*self._parameters, *more]).fetchall()


def with_gaps(relation: str, time: str) -> str:
    """SQL of a mart of days or months with the hidden runs of each; absent runs are zeros."""
    agent = ", agent_id" if "agent" in relation else ""
    listed = ", ".join(f"if(d.{time} is null, 0, {name}) as {name}" for name in LISTED_COLUMNS)
    hidden = ", ".join(f"if(g.{time} is null, 0, {name}) as {name}" for name in GAP_COLUMNS)
    return f"""
        select workspace_id{agent}, {time}, {listed}, {hidden}
        from marts.{relation} as d
        full join (
            select workspace_id{agent}, date_trunc('{time.replace("date", "day")}', date)::date
                    as {time},
                sum(missing_run_count)::bigint as missing_run_count,
                count(*) filter (missing_cost_usd is null) as unknown_gap_count,
                sum(missing_cost_usd) as gap_cost_usd
            from marts.fct_listing_gaps group by all
        ) as g using (workspace_id{agent}, {time})"""


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
