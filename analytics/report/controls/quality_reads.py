"""The SQL of the page Data quality, for one workspace at a time.

A list that may grow without end is read up to `SHOWN` rows, with the totals of all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

SHOWN = 200


@dataclass(frozen=True)
class Listed:
    """The first rows of a list, how many there are in all, and the totals of all of them."""

    rows: Sequence[tuple[Any, ...]]
    row_count: int
    totals: tuple[Any, ...]


class QualityReads:
    """Reads what the data of one workspace lack, and how fresh they are."""

    def __init__(self, con: duckdb.DuckDBPyConnection, workspace_id: str) -> None:
        self._con, self._workspace_id = con, workspace_id

    def gaps(self) -> Listed:
        """Hidden runs, by UTC day and agent, the newest first; totals: runs, cost, unknown."""
        return self._listed(
            "date, agent_id, counted_run_count, held_run_count, missing_run_count,"
            " missing_cost_usd, is_final",
            "marts.fct_listing_gaps",
            "sum(missing_run_count)::bigint, sum(missing_cost_usd),"
            " count(*) filter (missing_cost_usd is null)",
            "date desc, missing_run_count desc, agent_id",
        )

    def gap_agents(self) -> list[tuple[Any, ...]]:
        """By agent: days, hidden runs, their cost, busiest day, shortest span, batches a day."""
        return self._rows("""
            with gaps as (
                select agent_id, count(*) as day_count,
                    sum(missing_run_count)::bigint as missing_run_count,
                    sum(missing_cost_usd) as missing_cost_usd,
                    count(*) filter (missing_cost_usd is null) as unknown_count
                from marts.fct_listing_gaps where workspace_id = $workspace group by agent_id
            ), paces as (
                from audit.list_coverage where workspace_id = $workspace
            )
            select agent_id, day_count, missing_run_count, missing_cost_usd, unknown_count,
                busiest_day_run_count, shortest_span_seconds, required_batches_per_day,
                paces.agent_id is not null
            from gaps left join paces using (agent_id)
            order by missing_cost_usd desc nulls last, missing_run_count desc, agent_id""")

    def fastest(self) -> tuple[Any, ...] | None:
        """The agent whose list is outrun first: id, span in seconds, batches a day."""
        rows = self._rows("""
            select agent_id, shortest_span_seconds, required_batches_per_day
            from audit.list_coverage
            where workspace_id = $workspace order by shortest_span_seconds, agent_id limit 1""")
        return rows[0] if rows else None

    def gap_models(self) -> list[tuple[Any, ...]]:
        """What hidden runs used of each model: metered, of held runs, and missing cost."""
        return self._rows("""
            select model, provider, sum(metered_cost_usd), sum(held_cost_usd),
                sum(missing_cost_usd) as missing_usd,
                count(*) filter (missing_cost_usd is null)
            from marts.fct_listing_gap_models where workspace_id = $workspace
            group by model, provider order by missing_usd desc nulls last, model, provider""")

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
        """What changed after it was first published, the newest first; totals: change of cost."""
        return self._listed(
            "date, agent_id, previous_cost_usd, current_cost_usd, previous_run_count,"
            " current_run_count,"
            " seen_at at time zone 'UTC', load_id",
            "marts.fct_adjustments",
            "sum(current_cost_usd - previous_cost_usd),"
            " sum(current_run_count - previous_run_count)::bigint",
            "load_id desc, date desc, agent_id",
        )

    def odd_runs(self) -> list[tuple[Any, ...]]:
        """By agent: succeeded, no-usage, and unknown cost, with the newest day of these two."""
        return self._rows("""
            select agent_id, sum(succeeded_count)::bigint, sum(no_usage_count)::bigint,
                max(date) filter (no_usage_count > 0), sum(run_count)::bigint,
                sum(unknown_cost_count)::bigint, max(date) filter (unknown_cost_count > 0)
            from marts.fct_agent_days where workspace_id = $workspace
            group by agent_id having sum(no_usage_count) + sum(unknown_cost_count) > 0
            order by agent_id""")

    def quarantined(self) -> Listed:
        """Records that could not be understood, by source and reason; totals: records."""
        return self._listed(
            "source, reason, record_count, first_load_id, last_load_id",
            """(select workspace_id, source, reason, count(*) as record_count,
                min(load_id) as first_load_id, max(load_id) as last_load_id
                from audit.quarantined_records group by all)""",
            "sum(record_count)::bigint",
            "record_count desc, source, reason",
        )

    def loads(self) -> Listed:
        """What each load brought, the newest first; totals: requests, records, new versions."""
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
        """When the first and the last batch began."""
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
