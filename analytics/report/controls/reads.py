"""The SQL of the page Reconciliation, for one workspace at a time."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeAlias

from analytics.report.controls.rows import (
    Control,
    Day,
    Explained,
    Finding,
    Hour,
    Origin,
    ProviderKey,
)
from analytics.report.marts.reads import grouped, in_utc
from analytics.report.marts.rows import Bill

if TYPE_CHECKING:
    from datetime import date

    import duckdb

Months: TypeAlias = "dict[date, dict[str | None, Bill]]"
"""Cost and bill by month, the newest first, and by provider or agent, the most expensive first."""


class Reads:
    """Reads the controls of one workspace."""

    def __init__(self, con: duckdb.DuckDBPyConnection, workspace_id: str) -> None:
        self._con, self._workspace_id = con, workspace_id

    def days(self) -> list[Day]:
        """Every UTC day of the reconciliation, the newest first."""
        rows = self._rows("""
            with bills as (
                select date, sum(billed_usd) as billed_usd, sum(not_billed_usd) as not_billed_usd
                from marts.fct_billing_days where workspace_id = $workspace group by date
            )
            select date, status, metered_cost_usd, run_cost_usd, open_cost_usd, platform_cost_usd,
                gap_cost_usd, edge_usd, unexplained_usd, bills.billed_usd, not_billed_usd
            from audit.reconciliation_days left join bills using (date)
            where workspace_id = $workspace order by date desc""")
        return [Day(day, status, Explained(*amounts)) for day, status, *amounts in rows]

    def controls(self) -> list[Control]:
        """The comparisons of the four controls, as they are shown."""
        rows = self._rows("""
            select control, measure, unit, ours, explained, theirs, difference,
                coalesce(is_ok, false)
            from audit.controls where workspace_id = $workspace
            order by control, measure""")
        return [Control(*row) for row in rows]

    def origins(self) -> list[Origin]:
        """Where the unexplained cost of closed days comes from, the newest day first."""
        rows = self._rows("""
            select date, agent_id, origins.cost_usd, origins.run_cost_usd, origins.open_cost_usd,
                origins.platform_cost_usd, origins.gap_cost_usd, origins.unexplained_usd
            from audit.reconciliation_agents as origins
            join audit.reconciliation_days as days using (workspace_id, date)
            where workspace_id = $workspace and days.status in ('unreconciled', 'pending')
            order by date desc, abs(origins.unexplained_usd) desc, agent_id""")
        return [Origin(*row) for row in rows]

    def hours(self) -> list[Hour]:
        """Usage without an agent, by hour, on days whose platform cost is not explained."""
        rows = self._rows("""
            select hour at time zone 'UTC' as hour, sum(request_count)::bigint, sum(cost_usd)
            from marts.fct_usage_hours as usage
            where workspace_id = $workspace and agent_id is null
                and (hour at time zone 'UTC')::date in (
                    select date from audit.reconciliation_agents as origins
                    join audit.reconciliation_days as days using (workspace_id, date)
                    where workspace_id = $workspace and agent_id is null
                        and days.status in ('unreconciled', 'pending'))
            group by usage.hour order by usage.hour desc""")
        return [Hour(hour.replace(tzinfo=UTC), *rest) for hour, *rest in rows]

    def provider_months(self) -> Months:
        """Cost and bill by month and provider."""
        return _by_month(
            self._rows("""
            select date_trunc('month', date)::date as month, provider, sum(cost_usd) as cost_usd,
                sum(billed_usd), sum(not_billed_usd)
            from marts.fct_billing_days where workspace_id = $workspace
            group by month, provider
            order by month desc, cost_usd desc nulls last, provider""")
        )

    def agent_months(self, since: date) -> Months:
        """Cost and bill by month and agent; without an agent, what names none."""
        return _by_month(
            self._rows(
                """
            select date_trunc('month', date)::date as month, agent_id, sum(cost_usd) as cost_usd,
                sum(billed_usd), sum(not_billed_usd)
            from marts.fct_agent_billing_days
            where workspace_id = $workspace and date >= $since
            group by month, agent_id
            order by month desc, cost_usd desc nulls last, agent_id""",
                since=since,
            )
        )

    def month_states(self) -> dict[date, str]:
        """Whether each month may still change: open, incomplete or closed."""
        return dict(
            self._rows("""
            select month, status from marts.dim_months where workspace_id = $workspace""")
        )

    def keys(self) -> list[ProviderKey]:
        """The keys of the workspace's own at model providers."""
        rows = self._rows("""
            select provider, added_at at time zone 'UTC', is_listed,
                first_seen_at at time zone 'UTC'
            from marts.dim_provider_keys where workspace_id = $workspace
            order by is_listed desc, provider, added_at, key_id""")
        return [ProviderKey(row[0], in_utc(row[1]), row[2], in_utc(row[3])) for row in rows]

    def _rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        return self._con.execute(sql, {"workspace": self._workspace_id} | values).fetchall()


def findings(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Every check of the last batch, those that do not hold first."""
    rows = con.execute("""
        select check_name, claim, control, is_ok, coalesce(is_blocking, false), finding
        from audit.check_results
        order by is_ok, control nulls last, check_name""").fetchall()
    return [Finding(*row) for row in rows]


def _by_month(rows: list[tuple[Any, ...]]) -> Months:
    months = grouped((month, (key, Bill(*amounts))) for month, key, *amounts in rows)
    return {month: dict(bills) for month, bills in months.items()}
