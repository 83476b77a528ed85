"""The SQL of the page Data quality, for one workspace at a time.

A list that may grow without end is read up to `SHOWN` rows, with the totals of all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    import duckdb

SHOWN = 200

_DETAIL = """
    coalesce(sum(run_count), 0)::bigint, coalesce(sum(listed_run_count), 0)::bigint,
    coalesce(sum(unlisted_run_count), 0)::bigint as unlisted_run_count,
    coalesce(sum(unlisted_failed_count), 0)::bigint,
    if(sum(unlisted_run_count) > 0,
        sum(unlisted_cost_usd) filter (unlisted_run_count > 0), 0)::decimal(38, 10)
        as unlisted_usd,
    count(*) filter (unlisted_run_count > 0 and unlisted_cost_usd is null),
    count(*) filter (unlisted_run_count > 0)"""


@dataclass(frozen=True)
class Listed:
    """The first rows of a list, how many there are in all, and the totals of all of them."""

    rows: Sequence[tuple[Any, ...]]
    row_count: int
    totals: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """Runs, and of them those without run detail; their cost is None where none of it is known."""

    run_count: int
    listed_count: int
    unlisted_count: int
    unlisted_failed_count: int
    unlisted_usd: Decimal | None
    unknown_day_count: int
    unlisted_day_count: int


@dataclass(frozen=True, slots=True)
class AgentDetail:
    """The run detail of an agent, and how fast it filled the list of 200 runs."""

    agent_id: str
    detail: Detail
    busiest_day_run_count: int | None
    shortest_span_seconds: float | None
    required_batches_per_day: int | None


class QualityReads:
    """Reads the limits of one workspace's data, and how fresh they are."""

    def __init__(self, con: duckdb.DuckDBPyConnection, workspace_id: str) -> None:
        self._con, self._workspace_id = con, workspace_id

    def detail(self) -> Detail:
        """Run detail of the workspace."""
        ((*row,),) = self._rows(
            f"select {_DETAIL} from marts.fct_agent_days where workspace_id = $workspace"
        )
        return Detail(*row)

    def agent_details(self) -> list[AgentDetail]:
        """Run detail of each agent with unlisted runs, by the cost of these."""
        rows = self._rows(f"""
            with details as (
                select agent_id, {_DETAIL}
                from marts.fct_agent_days where workspace_id = $workspace
                group by agent_id having sum(unlisted_run_count) > 0
            ), coverage as (
                from audit.list_coverage where workspace_id = $workspace
            )
            select details.*, busiest_day_run_count, shortest_span_seconds,
                required_batches_per_day
            from details left join coverage using (agent_id)
            order by unlisted_usd desc nulls last, unlisted_run_count desc, agent_id""")
        return [AgentDetail(row[0], Detail(*row[1:8]), *row[8:]) for row in rows]

    def unlisted_days(self) -> Listed:
        """Unlisted runs by date and agent, the newest first; totals: runs, failed, cost."""
        return self._listed(
            "date, agent_id, run_count, listed_run_count, unlisted_run_count,"
            " unlisted_failed_count, unlisted_cost_usd",
            "(from marts.fct_agent_days where unlisted_run_count > 0)",
            "sum(unlisted_run_count)::bigint, sum(unlisted_failed_count)::bigint,"
            " sum(unlisted_cost_usd)",
            "date desc, unlisted_run_count desc, agent_id",
        )

    def fastest(self) -> tuple[Any, ...] | None:
        """The agent that fills its list first: id, span in seconds, batches a day."""
        rows = self._rows("""
            select agent_id, shortest_span_seconds, required_batches_per_day
            from audit.list_coverage
            where workspace_id = $workspace order by shortest_span_seconds, agent_id limit 1""")
        return rows[0] if rows else None

    def provisional(self) -> Listed:
        """Open runs and those that may still change, the oldest first; totals: open, cost."""
        return self._listed(
            "created_at at time zone 'UTC', agent_id, run_id, status, is_terminal, cost_usd,"
            " last_changed_at at time zone 'UTC'",
            "(from marts.fct_runs where not is_final)",
            "count(*) filter (not is_terminal), sum(cost_usd),"
            " min(created_at) filter (not is_terminal) at time zone 'UTC'",
            "is_terminal, created_at, run_id",
        )

    def adjustments(self) -> Listed:
        """Figures that changed after they were published, the newest first; totals: change."""
        return self._listed(
            "date, agent_id, previous_cost_usd, current_cost_usd, previous_run_count,"
            " current_run_count, cause, seen_at at time zone 'UTC', load_id",
            "marts.fct_adjustments",
            "sum(current_cost_usd - previous_cost_usd)",
            "load_id desc, date desc, agent_id",
        )

    def odd_runs(self) -> list[tuple[Any, ...]]:
        """By agent: runs with no usage reported, and of unknown cost, with the last day of each."""
        return self._rows("""
            select agent_id, sum(succeeded_count)::bigint, sum(no_usage_count)::bigint,
                max(date) filter (no_usage_count > 0), sum(run_count)::bigint,
                sum(unknown_cost_count)::bigint, max(date) filter (unknown_cost_count > 0)
            from marts.fct_agent_days where workspace_id = $workspace
            group by agent_id having sum(no_usage_count) + sum(unknown_cost_count) > 0
            order by agent_id""")

    def quarantined(self) -> Listed:
        """Quarantined records, by source and reason; totals: records."""
        return self._listed(
            "source, reason, record_count, first_load_id, last_load_id",
            """(select workspace_id, source, reason, count(*) as record_count,
                min(load_id) as first_load_id, max(load_id) as last_load_id
                from audit.quarantined_records group by all)""",
            "sum(record_count)::bigint",
            "record_count desc, source, reason",
        )

    def loads(self) -> Listed:
        """Each load, the newest first; totals: requests, records, new versions."""
        return self._listed(
            "load_id, step, request_count, record_count, new_version_count, superseded_count,"
            " quarantined_count, rounded_count, loaded_at at time zone 'UTC'",
            "audit.loads",
            "sum(request_count)::bigint, sum(record_count)::bigint,"
            " sum(new_version_count)::bigint, sum(superseded_count)::bigint,"
            " sum(quarantined_count)::bigint, sum(rounded_count)::bigint",
            "load_id desc",
        )

    def batches(self) -> tuple[datetime | None, datetime | None]:
        """The instants at which the first and the last batch began."""
        ((first, last),) = self._rows("""
            select first_batch_at at time zone 'UTC', last_batch_at at time zone 'UTC'
            from marts.dim_workspaces where workspace_id = $workspace""")
        return first, last

    def _listed(self, columns: str, relation: str, totals: str, order: str) -> Listed:
        where = f"from {relation} where workspace_id = $workspace"
        ((row_count, *sums),) = self._rows(f"select count(*), {totals} {where}")
        rows = self._rows(f"select {columns} {where} order by {order} limit {SHOWN}")
        return Listed(rows, row_count, tuple(sums))

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        found = self._con.execute(sql, {"workspace": self._workspace_id}).fetchall()
        return [
            tuple(each.replace(tzinfo=UTC) if isinstance(each, datetime) else each for each in row)
            for row in found
        ]
