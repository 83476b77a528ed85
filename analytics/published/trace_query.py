"""SQL from a published figure to its runs, and from each run to its landing line and request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from analytics.errors import UsageError
from analytics.extract.landing import SUFFIX
from analytics.published.agents import KnownAgent
from analytics.terminal import visible
from analytics.warehouse.sources import RUNS

RUNS_FILE = RUNS.name + SUFFIX

_FIGURE = (
    "run_count",
    "succeeded_count",
    "failed_count",
    "cancelled_count",
    "open_count",
    "unknown_cost_count",
    "cost_usd",
    "tokens_in",
    "tokens_out",
)
_SUMS = (
    "count(*), count(*) filter (status = 'succeeded'), count(*) filter (status = 'failed'),"
    " count(*) filter (status = 'cancelled'), count(*) filter (not is_terminal),"
    " count(*) filter (cost_usd is null), sum(cost_usd), sum(tokens_in)::bigint,"
    " sum(tokens_out)::bigint"
)
_OF_AGENT_DAY = "workspace_id = $1 and agent_id is not distinct from $2 and date = $3"
# Current versions come first, the most expensive run on top; earlier versions follow by time.
_VERSIONS = """
    with runs as (from marts.fct_runs where {which}),
    versions as (
        select workspace_id, run_id, status, cost_usd, created_at, load_id, request, line,
            last_changed_at as seen_at, null as superseded_by_load_id, 0 as version_number
        from runs
        union all
        select workspace_id, run_id, status, cost_usd, created_at, load_id, request, line,
            seen_at, superseded_by_load_id, version_number
        from audit.run_versions semi join runs using (workspace_id, run_id)
        where not is_current
    )
    select v.run_id, v.status, v.cost_usd, v.created_at, v.seen_at, v.superseded_by_load_id,
        v.workspace_id, v.load_id, v.line, f.byte_count, f.sha256,
        v.request, q.path, q.params, q.status, q.byte_count, q.record_count, q.fetched_at
    from versions as v
    left join audit.landing_files as f
        on f.workspace_id = v.workspace_id and f.load_id = v.load_id and f.file_name = '{file}'
    left join audit.requests as q
        on q.workspace_id = v.workspace_id and q.load_id = v.load_id and q.request = v.request
    order by v.version_number > 0, v.cost_usd desc nulls last, v.created_at, v.run_id,
        v.version_number
"""


@dataclass(frozen=True, slots=True)
class LandingFile:
    """A file of run records in the ledger; size in bytes, None if unknown."""

    workspace_id: str
    load_id: str
    byte_count: int | None
    sha256: str | None

    @property
    def path(self) -> str:
        """The path in the data directory."""
        return f"landing/{self.workspace_id}/{self.load_id}/{RUNS_FILE}"


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the API and its response; `params` is a JSON object, sizes are in bytes."""

    number: int
    path: str | None
    params: str | None
    status: int | None
    byte_count: int | None
    record_count: int | None
    fetched_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunVersion:
    """One version of a run with its file and line; the cost is in US dollars, None if unknown."""

    run_id: str
    status: str
    cost_usd: Decimal | None
    seen_at: datetime
    superseded_by_load_id: str | None
    file: LandingFile
    line: int
    request: Request


@dataclass(frozen=True, slots=True)
class TracedRun:
    """The current version of a run, and its earlier versions."""

    now: RunVersion
    before: list[RunVersion] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AgentDay:
    """A figure of `fct_agent_days`, and the same measures summed from `fct_runs`."""

    agent: KnownAgent
    date: date
    figure: dict[str, Any]
    runs_sum: dict[str, Any]

    @property
    def adds_up(self) -> bool:
        """True if the sum of the runs equals the figure, to the last digit."""
        return self.figure == self.runs_sum


def agent_day(con: duckdb.DuckDBPyConnection, agent: KnownAgent, day: date) -> AgentDay:
    """Return the figure of an agent's day; UsageError if there is none."""
    key = [agent.workspace_id, agent.agent_id, day]
    columns = ", ".join(_FIGURE)
    row = con.execute(
        f"select {columns} from marts.fct_agent_days where {_OF_AGENT_DAY}", key
    ).fetchone()
    if row is None:
        raise UsageError(
            f"{visible(agent.name)} has no listed runs on {day}. {_first_and_last(agent)}"
            + _unlisted_on(con, key)
        )
    sums = con.execute(f"select {_SUMS} from marts.fct_runs where {_OF_AGENT_DAY}", key).fetchone()
    return AgentDay(
        agent,
        day,
        dict(zip(_FIGURE, row, strict=True)),
        dict(zip(_FIGURE, sums or (), strict=True)),
    )


def runs_of_day(con: duckdb.DuckDBPyConnection, day: AgentDay) -> list[TracedRun]:
    """Return the runs behind a figure, the most expensive first."""
    agent = day.agent
    return _traced(con, _OF_AGENT_DAY, [agent.workspace_id, agent.agent_id, day.date])


def run_by_id(con: duckdb.DuckDBPyConnection, run_id: str) -> list[TracedRun]:
    """Return the run with an id, or with its beginning; UsageError if there is none, or several.

    There is more than one run only if two workspaces have the same id.
    """
    found = con.execute(
        "select distinct run_id from marts.fct_runs where starts_with(run_id, $1)"
        " order by run_id <> $1, run_id limit 4",
        [run_id],
    ).fetchall()
    names = [name for (name,) in found]
    if not names or not run_id:
        raise UsageError(
            f"No published run has an id that begins with `{visible(run_id)}`.\n"
            'To see runs: analytics sql "select run_id, agent_name, created_at from fct_runs"'
        )
    if names[0] != run_id and len(names) > 1:
        shown = ", ".join(map(visible, names[:3])) + (", …" if len(names) > 3 else "")
        raise UsageError(f"Several runs begin with `{visible(run_id)}`: {shown}.")
    return _traced(con, "run_id = $1", [names[0]])


def _traced(con: duckdb.DuckDBPyConnection, which: str, key: list[Any]) -> list[TracedRun]:
    runs: dict[tuple[str, str], TracedRun] = {}
    sql = _VERSIONS.format(which=which, file=RUNS_FILE)
    for row in con.execute(sql, key).fetchall():
        run_id, status, cost_usd, _, seen_at, superseded_by, *rest = row
        workspace_id, load_id, line, file_bytes, sha256, *request = rest
        file = LandingFile(workspace_id, load_id, file_bytes, sha256)
        version = RunVersion(
            run_id, status, cost_usd, seen_at, superseded_by, file, line, Request(*request)
        )
        if superseded_by is None:
            runs[workspace_id, run_id] = TracedRun(version)
        else:
            runs[workspace_id, run_id].before.append(version)
    return list(runs.values())


def _first_and_last(agent: KnownAgent) -> str:
    if agent.first_day is None:
        return "It has none on any day."
    return f"Its first day with listed runs is {agent.first_day}, its last {agent.last_day}."


def _unlisted_on(con: duckdb.DuckDBPyConnection, agent_day: list[Any]) -> str:
    """Return a sentence on the unlisted runs of a day, which have no record to trace."""
    hidden = con.execute(
        f"select missing_run_count from marts.fct_listing_gaps where {_OF_AGENT_DAY}", agent_day
    ).fetchone()
    if hidden is None:
        return ""
    return (
        f"\nThe API counts runs of that UTC day that it lists no more: {hidden[0]:,}."
        " What they cost is in fct_listing_gaps."
    )
