"""The SQL of the reports: one query a relation, for all workspaces and agents at once."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeVar

from analytics.report.facts import MEASURE_COLUMNS, Measures
from analytics.report.rows import (
    AgentKey,
    AgentRow,
    Check,
    ErrorClass,
    Gap,
    ModelCost,
    PlatformMonth,
    ProviderMonth,
    Quarantined,
    Run,
    RunCosts,
    Version,
    WorkspaceRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    import duckdb

    from analytics.report.periods import Calendar

K = TypeVar("K")
V = TypeVar("V")

DEAREST_RUNS = 20

_RECENT_RUNS = """(
    from marts.fct_runs join calendar using (workspace_id)
    where date between recent_first and recent_last)"""
_CHARTED_RUNS = """(
    from marts.fct_runs join calendar using (workspace_id)
    where date between chart_first and today)"""


def workspaces(con: duckdb.DuckDBPyConnection) -> list[WorkspaceRow]:
    """Every workspace, by name."""
    rows = con.execute("""
        select workspace_id, workspace_name, last_night_at at time zone 'UTC', min(date)
        from marts.dim_workspaces left join marts.fct_workspace_days using (workspace_id)
        group by all order by workspace_name, workspace_id""").fetchall()
    return [WorkspaceRow(row[0], row[1], _in_utc(row[2]), row[3]) for row in rows]


def checks(con: duckdb.DuckDBPyConnection) -> list[Check]:
    """Every control, those that do not hold first."""
    rows = con.execute("""
        select check_name, claim, violation_count, is_ok
        from marts.fct_check_results order by is_ok, check_name""").fetchall()
    return [Check(*row) for row in rows]


class Marts:
    """Reads the marts, each workspace for the periods of its own calendar."""

    def __init__(self, con: duckdb.DuckDBPyConnection, calendars: Mapping[str, Calendar]) -> None:
        self._con = con
        self._parameters: list[str | date] = []
        for workspace_id, each in calendars.items():
            self._parameters += [workspace_id, each.since, each.chart.first, each.recent.first]
            self._parameters += [each.recent.last, each.last_month.first, each.today]
        values = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(calendars))
        self._calendar = f"""with calendar (
            workspace_id, since, chart_first, recent_first, recent_last, last_month_first, today
        ) as (values {values}) """

    def agents(self) -> list[AgentRow]:
        """Every known agent, and one without an id where a workspace has runs of no agent."""
        rows = self._rows("""
            select workspace_id, agent_id, any_value(a.agent_name), any_value(a.agent_slug),
                any_value(status), coalesce(bool_or(is_listed), false), min(date)
            from marts.dim_agents as a
            full join marts.fct_agent_days as d using (workspace_id, agent_id)
            semi join calendar using (workspace_id)
            group by all order by workspace_id, agent_id""")
        return [AgentRow((row[0], row[1]), *row[2:]) for row in rows]

    def workspace_days(self) -> dict[str, dict[date, Measures]]:
        """Measures by workspace and day."""
        return self._by_time("workspace_id", "fct_workspace_days", "date", "since")

    def agent_days(self) -> dict[AgentKey, dict[date, Measures]]:
        """Measures by agent and day."""
        return self._by_time("(workspace_id, agent_id)", "fct_agent_days", "date", "since")

    def workspace_months(self) -> dict[str, dict[date, Measures]]:
        """Measures by workspace and month, for the last 13 months."""
        since = "date_trunc('month', today) - interval 12 months"
        return self._by_time("workspace_id", "fct_workspace_months", "month", since)

    def agent_months(self) -> dict[AgentKey, dict[date, Measures]]:
        """Measures by agent and month, for the last 13 months."""
        since = "date_trunc('month', today) - interval 12 months"
        return self._by_time("(workspace_id, agent_id)", "fct_agent_months", "month", since)

    def errors(self) -> dict[AgentKey, list[ErrorClass]]:
        """Recent failed runs by error class."""
        rows = self._rows(f"""
            select workspace_id, agent_id, coalesce(error_class, 'unknown'),
                sum(cost_usd), count(*)
            from {_RECENT_RUNS} where status = 'failed' group by all order by all""")
        return _grouped(((row[0], row[1]), ErrorClass(*row[2:])) for row in rows)

    def models(self) -> dict[AgentKey, list[ModelCost]]:
        """Recent runs by model and provider."""
        rows = self._rows(f"""
            select workspace_id, agent_id, coalesce(model, ''), coalesce(provider, ''),
                sum(c.cost_usd), coalesce(sum(c.tokens_in), 0)::bigint,
                coalesce(sum(c.tokens_out), 0)::bigint
            from {_RECENT_RUNS} join marts.fct_run_model_costs as c using (workspace_id, run_id)
            group by all order by all""")
        return _grouped(((row[0], row[1]), ModelCost(*row[2:])) for row in rows)

    def versions(self) -> dict[AgentKey, list[Version]]:
        """Runs of the charted days by version, the newest first."""
        rows = self._rows(f"""
            select workspace_id, agent_id, agent_version, sum(cost_usd), count(*),
                count(*) filter (status = 'failed'),
                count(*) filter (status in ('succeeded', 'failed'))
            from {_CHARTED_RUNS} group by all
            order by workspace_id, agent_id, agent_version desc nulls last""")
        return _grouped(((row[0], row[1]), Version(*row[2:])) for row in rows)

    def run_costs(self) -> dict[AgentKey, RunCosts]:
        """How the costs of each agent's recent finished runs are spread."""
        rows = self._rows(f"""
            select workspace_id, agent_id, count(*), quantile_disc(cost_usd, 0.5),
                quantile_disc(cost_usd, 0.9), max(cost_usd)
            from {_RECENT_RUNS} where is_terminal and cost_usd is not null group by all""")
        return {(row[0], row[1]): RunCosts(*row[2:]) for row in rows}

    def dearest_runs(self) -> dict[AgentKey, list[Run]]:
        """Each agent's dearest runs of the charted days."""
        rows = self._rows(f"""
            select workspace_id, agent_id, run_id, status, agent_version,
                created_at at time zone 'UTC', duration_seconds, cost_usd,
                tokens_in, tokens_out, error_class
            from {_CHARTED_RUNS} where cost_usd is not null
            qualify row_number() over (
                partition by workspace_id, agent_id order by cost_usd desc, run_id
            ) <= {DEAREST_RUNS}
            order by workspace_id, agent_id, cost_usd desc, run_id""")
        return _grouped(((row[0], row[1]), Run(*row[2:])) for row in rows)

    def billing(self) -> dict[str, list[ProviderMonth]]:
        """Cost and billed amounts by month and provider."""
        rows = self._rows("""
            select workspace_id, date_trunc('month', date)::date as month,
                coalesce(provider, '') as provider, sum(cost_usd), sum(billed_usd)
            from marts.fct_billing_days join calendar using (workspace_id)
            where date >= last_month_first group by all order by all""")
        return _grouped((row[0], ProviderMonth(*row[1:])) for row in rows)

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
        return _grouped((row[0], PlatformMonth(*row[1:])) for row in rows)

    def gaps(self) -> dict[str, list[Gap]]:
        """The windows that no pull of a run list covers, the newest first."""
        rows = self._rows("""
            select workspace_id, agent_id, gap_after at time zone 'UTC',
                gap_before at time zone 'UTC'
            from marts.fct_list_pulls semi join calendar using (workspace_id)
            where gap_before is not null
            order by workspace_id, gap_before desc, agent_id""")
        return _grouped(
            (row[0], Gap(row[1], _in_utc(row[2]), row[3].replace(tzinfo=UTC))) for row in rows
        )

    def quarantined(self) -> dict[str, list[Quarantined]]:
        """Records that could not be understood, by source and reason."""
        rows = self._rows("""
            select workspace_id, source, coalesce(reason, ''), count(*)
            from marts.fct_quarantined_records semi join calendar using (workspace_id)
            group by all order by all""")
        return _grouped((row[0], Quarantined(*row[1:])) for row in rows)

    def _by_time(self, key: str, relation: str, time: str, since: str) -> dict[Any, Any]:
        rows = self._rows(f"""
            select {key}, {time}, {", ".join(MEASURE_COLUMNS)}
            from marts.{relation} join calendar using (workspace_id)
            where {time} between {since} and today order by {time}""")
        return {
            entity: dict(series)
            for entity, series in _grouped(
                (entity, (moment, Measures(*measures))) for entity, moment, *measures in rows
            ).items()
        }

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._con.execute(self._calendar + sql, self._parameters).fetchall()


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=UTC)
