"""The SQL of what pages show day by day: splits of runs, for some workspaces or some agents."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from analytics.format import names
from analytics.report.figures.facts import Measures
from analytics.report.figures.splits import MONEY, Split, empty
from analytics.report.marts.reads import by_time, measures_of
from analytics.report.marts.rows import RunCosts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import duckdb

    from analytics.report.figures.periods import Calendar
    from analytics.report.marts.rows import AgentKey

Entity = Any  # a workspace's id, or an agent's key

SPLITS = ("errors", "models", "hours", "steps", "spreads")
AGENT_SPLITS = (*SPLITS, "versions")

SPREAD_MEASURES = ("tokens_in", "tokens_out", "duration", "queue")
_SPREADS = {
    f"{measure}_{name}": f"quantile_disc({column}, {level}) filter (is_terminal)"
    for measure, column in zip(
        SPREAD_MEASURES,
        ("tokens_in", "tokens_out", "round(duration_seconds, 1)", "round(queue_seconds, 1)"),
        strict=True,
    )
    for name, level in (("median", 0.5), ("p95", 0.95))
}
_RUN_COUNTS = {
    "cost_usd": "sum(cost_usd)",
    "run_count": "count(*)",
    "failed_count": "count(*) filter (status = 'failed')",
    "finished_count": "count(*) filter (status in ('succeeded', 'failed'))",
}


RUNS_OF_AGENTS = "temp.report_runs"


def exact(amount: str) -> str:
    """SQL of an amount in ten-billionths of a dollar, digit for digit."""
    return f"replace(({amount})::decimal(38,10)::varchar, '.', '')::hugeint"


@dataclass(frozen=True)
class Scope:
    """Whether rows are read by workspace or by agent."""

    columns: tuple[str, ...]
    measures: str  # the relation with their days

    @property
    def entity(self) -> str:
        """The columns as one value of a relation `r`: a text, or a tuple."""
        columns = [f"r.{column}" for column in self.columns]
        return columns[0] if len(columns) == 1 else f"({', '.join(columns)})"

    @property
    def joined(self) -> str:
        """How a relation `r` is joined with the calendar."""
        return " and ".join(f"r.{column} = calendar.{column}" for column in self.columns)


WORKSPACES = Scope(("workspace_id",), "fct_workspace_days")
AGENTS = Scope(("workspace_id", "agent_id"), "fct_agent_days")


class Details:
    """Reads splits by day, each entity for the history of its own calendar."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        scope: Scope,
        calendars: Mapping[Entity, Calendar],
        timezone: str,
    ) -> None:
        self._con, self._scope, self._timezone = con, scope, timezone
        self._firsts = {entity: each.history.first for entity, each in calendars.items()}
        self._parameters: list[Any] = []
        for entity, each in calendars.items():
            self._parameters += [entity] if isinstance(entity, str) else [*entity]
            self._parameters += [each.history.first, each.chart.first]
            self._parameters += [each.recent.first, each.recent.last, each.today]
        columns = (*scope.columns, "first_day", "chart_first", "recent_first", "recent_last")
        marks = f"({', '.join('?' * (len(columns) + 1))})"
        values = ", ".join([marks] * len(calendars))
        self._with = f"""with calendar ({", ".join(columns)}, today) as (values {values}),
            runs as ({self._runs()}) """

    def _runs(self) -> str:
        return f"""
            select r.*, first_day, chart_first, recent_first, recent_last, today
            from marts.fct_runs as r join calendar on {self._scope.joined}
            where r.date between first_day and today"""

    def splits(self, names: Sequence[str]) -> dict[Entity, dict[str, Split]]:
        """The named splits of each entity; one that it has nothing of is without a row."""
        read = {name: getattr(self, name)() for name in names}
        return {
            entity: {name: known.get(entity) or empty(first) for name, known in read.items()}
            for entity, first in self._firsts.items()
        }

    def days(self) -> dict[Entity, dict[date, Measures]]:
        """Measures by day."""
        return by_time(
            self._rows(f"""
            select {self._scope.entity}, date, {measures_of(self._scope.measures)}
            from marts.{self._scope.measures} as r
            join calendar on {self._scope.joined}
            where date between first_day and today order by date""")
        )

    def errors(self) -> dict[Entity, Split]:
        """Failed runs by error class."""
        measures = {"cost_usd": "sum(cost_usd)", "run_count": "count(*)"}
        source = "runs as r where status = 'failed'"
        return self._split(["error_class"], measures, source, "unknown")

    def models(self) -> dict[Entity, Split]:
        """All metered usage by model and provider, by UTC day."""
        return self._split(
            ["model", "provider"],
            {
                "cost_usd": "sum(cost_usd)",
                "tokens_in": "sum(tokens_in)::bigint",
                "tokens_out": "sum(tokens_out)::bigint",
                "request_count": "sum(request_count)::bigint",
            },
            f"""(
                select r.*, first_day
                from marts.fct_model_days as r join calendar on {self._scope.joined}
                where r.utc_date between first_day and today
                    and (r.request_count > 0 or r.cost_usd != 0)
            ) as r""",
            day="r.utc_date",
        )

    def versions(self) -> dict[Entity, Split]:
        """Runs by version of their agent."""
        return self._split(["'v' || agent_version"], _RUN_COUNTS, "runs as r", "no version")

    def hours(self) -> dict[Entity, Split]:
        """Charted runs by weekday (1 is Monday) and hour in the reporting time zone."""
        self._con.execute("set variable report_timezone = ?", [self._timezone])
        local = "(created_at at time zone getvariable('report_timezone'))"
        return self._split(
            [f"isodow({local})::varchar", f"hour({local})::varchar"],
            {"cost_usd": "sum(cost_usd)", "run_count": "count(*)"},
            "runs as r where r.date >= chart_first",
        )

    def steps(self) -> dict[Entity, Split]:
        """Where the time of charted listed runs goes: their tools, by the wait for each result."""
        return self._split(
            ["tool_name", "node"],
            {
                "milliseconds": "round(sum(duration_ms))::bigint",
                "call_count": "count(*)",
                "error_count": "count(*) filter (is_error)",
            },
            """(
                select r.workspace_id, r.agent_id, r.date, r.first_day,
                    c.tool_name, c.node, c.duration_ms, c.is_error
                from runs as r join marts.fct_tool_calls as c using (workspace_id, run_id)
                where r.date >= chart_first
            ) as r""",
        )

    def spreads(self) -> dict[Entity, Split]:
        """Median and 95th percentile of runs by week, which begins on Monday."""
        day = "date_trunc('week', r.date)::date"
        return self._split(["''"], _SPREADS, "runs as r where r.date < today", day=day)

    def run_costs(self) -> dict[Entity, RunCosts]:
        """How the costs of the recent finished runs are spread."""
        rows = self._rows(f"""
            select {self._scope.entity}, count(*), quantile_disc(cost_usd, 0.5),
                quantile_disc(cost_usd, 0.9), max(cost_usd)
            from runs as r
            where is_terminal and cost_usd is not null
                and date between recent_first and recent_last
            group by all""")
        return {row[0]: RunCosts(*row[1:]) for row in rows}

    def _split(
        self,
        key: Sequence[str],
        measures: Mapping[str, str],
        source: str,
        absent: str = "(none)",
        day: str = "r.date",
    ) -> dict[Entity, Split]:
        sums = ", ".join(
            exact(expression) if name in MONEY else expression
            for name, expression in measures.items()
        )
        rows = self._rows(f"""
            select {self._scope.entity} as entity, date_diff('day', r.first_day, {day}) as day,
                {", ".join(key)}, {sums}
            from {source} group by all order by all""")
        display = names.Displayed(absent)
        width = 2 + len(key)
        splits = {}
        for entity, group in groupby(rows, itemgetter(0)):
            columns = list(zip(*group, strict=True))
            keys = [tuple(map(display, parts)) for parts in zip(*columns[2:width], strict=True)]
            values = dict(zip(measures, columns[width:], strict=True))
            splits[entity] = Split(self._firsts[entity], columns[1], keys, values)
        return splits

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._con.execute(self._with + sql, self._parameters).fetchall()


class AgentDetails(Details):
    """Details of some of many agents: their runs are looked up once, not for each question.

    Each run is numbered from the newest, and from the most expensive of the charted days.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        calendars: Mapping[AgentKey, Calendar],
        timezone: str,
    ) -> None:
        super().__init__(con, AGENTS, calendars, timezone)
        con.execute(
            f"""create or replace temp table {RUNS_OF_AGENTS} as {self._with}
            select *,
                row_number() over (
                    partition by workspace_id, agent_id order by created_at desc, run_id
                ) as number,
                row_number() over (
                    partition by workspace_id, agent_id
                    order by date >= chart_first desc, cost_usd desc nulls last, run_id
                ) as cost_rank
            from runs""",
            self._parameters,
        )
        self._with = self._with.replace(f"({self._runs()})", f"(from {RUNS_OF_AGENTS})")
