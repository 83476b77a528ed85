"""The SQL of single runs: the newest and the most expensive of some agents, and their events."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from analytics.report.marts.details import RUNS_OF_AGENTS, exact
from analytics.report.marts.reads import grouped
from analytics.report.marts.rows import AgentKey, Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb


NEWEST_RUNS = 1_000
LISTED_RUNS = 5
MOST_EXPENSIVE_RUNS = 10
TIMELINES = 100

Columns = dict[str, tuple[Any, ...]]

_RUNS = f"""
with runs as (
    select *, row_number() over (partition by workspace_id, agent_id order by number) - 1 as place
    from {RUNS_OF_AGENTS} where number <= {NEWEST_RUNS} or cost_rank <= {MOST_EXPENSIVE_RUNS}
)
"""

_COLUMNS = {
    "run_id": "run_id",
    "created": "floor(epoch(created_at))::bigint",
    "day": "date_diff('day', first_day, date)",
    "status": "status",
    "kind": "kind",
    "parent_run_id": "parent_run_id",
    "has_session": "session_id is not null",
    "version": "agent_version",
    "queue": "round(queue_seconds, 3)",
    "duration": "round(duration_seconds, 3)",
    "cost_usd": exact("cost_usd"),
    "tokens_in": "tokens_in",
    "tokens_out": "tokens_out",
    "error_class": "error_class",
}
# What a model used of a run that used no other is what the run used, and is not said twice.
_MODEL_COLUMNS = {
    "run": "place",
    "model": "c.model",
    "provider": "c.provider",
    "cost_usd": f"if(is_all, null, {exact('c.cost_usd')})",
    "tokens_in": "if(is_all, null, c.tokens_in)",
    "tokens_out": "if(is_all, null, c.tokens_out)",
    "is_all": "is_all",
    "request_count": "c.request_count",
}
_EVENT_COLUMNS = {
    "run": "place",
    "what": "coalesce(e.event_kind || coalesce(': ' || e.tool_name, ''), e.level)",
    "node": "e.node",
    "after_ms": "date_diff('ms', r.created_at, e.occurred_at)",
    "is_error": "coalesce(e.is_error or e.level in ('ERROR', 'CRITICAL'), false)::tinyint",
    "duration_ms": "round(e.duration_ms)::bigint",
}


class Runs:
    """Reads the runs that the pages of some agents show, of those that AgentDetails looked up."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def listed(self) -> dict[AgentKey, list[Run]]:
        """The runs that stand in tables: the newest first, then the most expensive ones."""
        rows = self._rows(f"""
            select (workspace_id, agent_id), number, run_id, status, agent_version, kind,
                parent_run_id, session_id, date, created_at at time zone 'UTC',
                duration_seconds, cost_usd, tokens_in, tokens_out, error_class
            from runs where number <= {LISTED_RUNS} or cost_rank <= {MOST_EXPENSIVE_RUNS}
            order by number""")
        return grouped((row[0], Run(*row[1:])) for row in rows)

    def runs(self) -> dict[AgentKey, Columns]:
        """The newest runs and the most expensive, the newest first, as columns."""
        return self._columns(_COLUMNS, "runs as r", "number")

    def models(self) -> dict[AgentKey, Columns]:
        """What those runs used of each model."""
        return self._columns(
            _MODEL_COLUMNS,
            """(
                select r.workspace_id, r.agent_id, r.place, r.number, c,
                    c.cost_usd is not distinct from r.cost_usd
                    and c.tokens_in is not distinct from r.tokens_in
                    and c.tokens_out is not distinct from r.tokens_out as is_all
                from runs as r join marts.fct_run_models as c using (workspace_id, run_id)
            ) as r""",
            "number, c.cost_usd desc nulls last, c.model, c.provider",
        )

    def events(self) -> dict[AgentKey, Columns]:
        """The log events of the newest and of the most expensive of those runs."""
        return self._columns(
            _EVENT_COLUMNS,
            f"""runs as r join marts.fct_log_events as e using (workspace_id, run_id)
            where number <= {TIMELINES} or cost_rank <= {MOST_EXPENSIVE_RUNS}""",
            "number, e.seq",
        )

    def _columns(
        self, columns: Mapping[str, str], source: str, order: str
    ) -> dict[AgentKey, Columns]:
        rows = self._rows(f"""
            select (r.workspace_id, r.agent_id), {", ".join(columns.values())}
            from {source} order by r.workspace_id, r.agent_id, {order}""")
        return {
            key: dict(zip(columns, list(zip(*group, strict=True))[1:], strict=True))
            for key, group in groupby(rows, itemgetter(0))
        }

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._con.execute(_RUNS + sql).fetchall()
