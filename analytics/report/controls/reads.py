"""The SQL of the page Reconciliation, for one workspace at a time."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeAlias

from analytics.report.controls.rows import (
    CheckRow,
    Control,
    Day,
    Explained,
    Finding,
    Hour,
    Origin,
    ProviderKey,
    Step,
)
from analytics.report.marts.rows import Bill

if TYPE_CHECKING:
    from datetime import date

    import duckdb

Months: TypeAlias = "dict[date, dict[str, Bill]]"
"""Cost and bill by UTC month, newest first, and by provider or agent, most expensive first."""


class Reads:
    """Reads the reconciliation of one workspace."""

    def __init__(self, con: duckdb.DuckDBPyConnection, workspace_id: str) -> None:
        self._con, self._workspace_id = con, workspace_id

    def days(self) -> list[Day]:
        """Every UTC day of the reconciliation, the newest first."""
        rows = self._rows("""
            select utc_date, status, metered_cost_usd, run_cost_usd, open_cost_usd,
                platform_cost_usd, unlisted_cost_usd, timing_difference_usd, unexplained_usd,
                billed_usd
            from audit.reconciliation_days
            where workspace_id = $workspace order by utc_date desc""")
        return [Day(day, status, Explained(*amounts)) for day, status, *amounts in rows]

    def bridge(self) -> list[Step]:
        """The steps from the cost of runs to the bill, the newest month first."""
        rows = self._rows("""
            select month, step_number, step, amount_usd, comment
            from audit.month_bridge
            where workspace_id = $workspace order by month desc, step_number""")
        return [Step(*row) for row in rows]

    def controls(self) -> list[Control]:
        """Every control against the API, those that compared nothing in the workspace as well."""
        rows = self._rows("""
            with totals as (
                from audit.controls where workspace_id = $workspace
            ), findings as (
                select control, count(distinct check_name) as check_count,
                    sum(finding_count) filter (finding_number = 1)::bigint as finding_count
                from audit.control_findings where workspace_id = $workspace group by control
            )
            select checks.control, checks.claim,
                coalesce(totals.first_source, split_part(checks.sources, ' | ', 1)),
                coalesce(totals.second_source, split_part(checks.sources, ' | ', 2)),
                totals.measure, totals.compared_count, totals.ours, totals.theirs,
                coalesce(findings.finding_count, 0)
            from audit.check_results as checks
            left join totals on totals.control = checks.control
            left join findings on findings.control = checks.control
            where checks.control is not null
            order by checks.control, totals.measure""")
        return [Control(name, claim, (a, b), *rest) for name, claim, a, b, *rest in rows]

    def findings(self, shown: int) -> list[Finding]:
        """The largest findings of each control that failed in the workspace."""
        rows = self._rows(
            """
            select control, finding_number, finding_count, utc_date, agent_id, run_id, provider,
                measure, ours, theirs, difference_usd, is_closed
            from audit.control_findings
            where workspace_id = $workspace and finding_number <= $shown
            order by control, check_name, finding_number""",
            shown=shown,
        )
        return [Finding(*row) for row in rows]

    def origins(self) -> list[Origin]:
        """Whose cost is unexplained on days that are over, the newest day first."""
        rows = self._rows("""
            select utc_date, agent_id, agents.metered_cost_usd, agents.run_cost_usd,
                agents.open_cost_usd, agents.platform_cost_usd, agents.unlisted_cost_usd,
                agents.timing_difference_usd, agents.unexplained_usd, null
            from audit.reconciliation_agents as agents
            join audit.reconciliation_days as days using (workspace_id, utc_date)
            where workspace_id = $workspace and days.status in ('unreconciled', 'pending')
            order by utc_date desc, abs(agents.unexplained_usd) desc, agent_id""")
        return [Origin(day, agent_id, Explained(*rest)) for day, agent_id, *rest in rows]

    def hours(self) -> list[Hour]:
        """Usage without an agent, by hour, on days on which some of it is unexplained."""
        rows = self._rows("""
            select hour at time zone 'UTC', sum(request_count)::bigint, sum(cost_usd)
            from marts.fct_usage_hours as usage
            where workspace_id = $workspace and agent_id = '(platform)'
                and (hour at time zone 'UTC')::date in (
                    select utc_date from audit.reconciliation_agents
                    join audit.reconciliation_days as days using (workspace_id, utc_date)
                    where workspace_id = $workspace and agent_id = '(platform)'
                        and days.status in ('unreconciled', 'pending'))
            group by usage.hour order by usage.hour desc""")
        return [Hour(hour.replace(tzinfo=UTC), *rest) for hour, *rest in rows]

    def provider_months(self) -> Months:
        """Cost and bill by UTC month and provider."""
        return self._bills("provider", "marts.fct_billing_days", None)

    def agent_months(self, since: date) -> Months:
        """Cost and bill by UTC month and agent."""
        return self._bills("agent_id", "marts.fct_agent_billing_days", since)

    def keys(self) -> list[ProviderKey]:
        """The keys of the workspace's own at model providers."""
        rows = self._rows("""
            select provider, added_at at time zone 'UTC', is_listed
            from marts.dim_provider_keys where workspace_id = $workspace
            order by is_listed desc, provider, added_at, key_id""")
        return [
            ProviderKey(provider, added_at and added_at.replace(tzinfo=UTC), is_listed)
            for provider, added_at, is_listed in rows
        ]

    def timezone(self) -> str:
        """The reporting time zone."""
        rows = self._rows("""
            select reporting_timezone from marts.dim_workspaces
            where workspace_id = $workspace""")
        return rows[0][0] or "UTC"

    def _bills(self, key: str, relation: str, since: date | None) -> Months:
        rows = self._rows(
            f"""
            select date_trunc('month', utc_date)::date as month, {key}, sum(cost_usd) as cost_usd,
                sum(surcharge_usd), sum(own_key_usd), sum(billed_usd)
            from {relation}
            where workspace_id = $workspace and utc_date >= coalesce($since, date '0001-01-01')
            group by month, {key}
            order by month desc, cost_usd desc nulls last, {key}""",
            since=since,
        )
        months: defaultdict[date, dict[str, Bill]] = defaultdict(dict)
        for month, each, *amounts in rows:
            months[month][each] = Bill(*amounts)
        return dict(months)

    def _rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        return self._con.execute(sql, {"workspace": self._workspace_id} | values).fetchall()


def checks(con: duckdb.DuckDBPyConnection) -> list[CheckRow]:
    """Every check of the last batch: those that failed first, then controls against the API."""
    rows = con.execute("""
        select check_name, claim, control, sources, is_ok, coalesce(is_blocking, false), finding
        from audit.check_results
        order by is_ok, control nulls last, check_name""").fetchall()
    return [CheckRow(*row) for row in rows]


def agent_names(con: duckdb.DuckDBPyConnection, workspace_id: str) -> dict[str, str | None]:
    """The name of each line: agents, runs without one, and the platform."""
    rows = con.execute(
        "select agent_id, agent_name from marts.dim_agents where workspace_id = ?", [workspace_id]
    ).fetchall()
    return dict(rows)
