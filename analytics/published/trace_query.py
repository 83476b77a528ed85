"""SQL from a published figure to its runs, and from each run to its landing line and request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from analytics.errors import UsageError
from analytics.extract.loads import SUFFIX
from analytics.published.agents import KnownAgent
from analytics.terminal import escaped
from analytics.warehouse.sources import RUNS

RUNS_FILE = RUNS.name + SUFFIX

SUMS = (
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
_PARTS = (
    "listed_run_count",
    "unlisted_run_count",
    "unlisted_failed_count",
    "listed_cost_usd",
    "unlisted_cost_usd",
)
_OUTCOMES = ("succeeded_count", "failed_count", "cancelled_count", "open_count")
_SUMS_OF_RUNS = (
    "count(*), count(*) filter (status = 'succeeded'), count(*) filter (status = 'failed'),"
    " count(*) filter (status = 'cancelled'), count(*) filter (not is_terminal),"
    " count(*) filter (cost_usd is null), sum(cost_usd), sum(tokens_in)::bigint,"
    " sum(tokens_out)::bigint"
)
_OF_AGENT_DAY = "workspace_id = $1 and agent_id = $2 and date = $3"
_OF_UTC_DAY = "workspace_id = $1 and agent_id = $2 and (created_at at time zone 'UTC')::date = $3"
# Current versions come first, the most expensive run on top; earlier versions follow as seen.
_VERSIONS = """
    with runs as (from marts.fct_runs where {which}),
    versions as (
        select workspace_id, run_id, status, cost_usd, created_at, load_id, request_number, file_line,
            last_changed_at as seen_at, null as superseded_by_load_id, 0 as version_number
        from runs
        union all
        select workspace_id, run_id, status, cost_usd, created_at, load_id, request_number, file_line,
            seen_at, superseded_by_load_id, version_number
        from audit.run_versions semi join runs using (workspace_id, run_id)
        where not is_current
    )
    select v.run_id, v.status, v.cost_usd, v.created_at, v.seen_at, v.superseded_by_load_id,
        v.workspace_id, v.load_id, v.file_line, f.byte_count, f.sha256,
        v.request_number, q.path, q.params, q.status, q.byte_count, q.record_count, q.fetched_at
    from versions as v
    left join audit.landing_files as f
        on f.workspace_id = v.workspace_id and f.load_id = v.load_id and f.file_name = '{file}'
    left join audit.requests as q
        on q.workspace_id = v.workspace_id and q.load_id = v.load_id and q.request_number = v.request_number
    order by v.version_number > 0, v.cost_usd desc nulls last, v.created_at, v.run_id,
        v.version_number
"""


@dataclass(frozen=True, slots=True)
class LandingFile:
    """A landing file in the ledger; size in bytes, None if unknown."""

    workspace_id: str
    load_id: str
    name: str
    byte_count: int | None
    sha256: str | None

    @property
    def path(self) -> str:
        """The path in the data directory."""
        return f"landing/{self.workspace_id}/{self.load_id}/{self.name}"


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
    """A figure of `fct_agent_days`, and the same measures of its parts.

    `runs_sum` is that of listed runs (of the platform's line, which has none: the figure), and
    `utc_sum` that of the listed runs of the UTC day of that date, which the API's own figures are
    compared with.
    """

    agent: KnownAgent
    date: date
    figure: dict[str, Any]
    runs_sum: dict[str, Any]
    utc_sum: dict[str, Any]

    @property
    def is_platform(self) -> bool:
        """True for the platform's own activity, which has no listed runs."""
        return self.agent.line_type == "platform"

    @property
    def unlisted(self) -> dict[str, Any] | None:
        """The part of unlisted runs; None if there is none. Unknown stays None."""
        if not self.figure["unlisted_run_count"]:
            return None
        part = {name: _less(self.figure[name], self.runs_sum[name]) for name in SUMS}
        if self.figure["unlisted_failed_count"] is None:
            part |= dict.fromkeys(_OUTCOMES)
        return part | {"cost_usd": self.figure["unlisted_cost_usd"]}

    @property
    def reported(self) -> dict[str, Any] | None:
        """The API's own figures of the UTC day: its listed runs and the unlisted ones."""
        if self.unlisted is None:
            return None
        return {name: _plus(self.utc_sum[name], self.unlisted[name]) for name in SUMS}

    @property
    def adds_up(self) -> bool:
        """True if the sum of the parts equals the figure, to the last digit."""
        figure, runs, unlisted = self.figure, self.runs_sum, self.unlisted
        if unlisted is None:
            return {name: figure[name] for name in SUMS} == runs
        return (
            figure["listed_run_count"] == runs["run_count"]
            and figure["listed_cost_usd"] == (runs["cost_usd"] if runs["run_count"] else 0)
            and figure["unlisted_run_count"] == unlisted["run_count"]
            and all((unlisted[name] or 0) >= 0 for name in SUMS if name.endswith("_count"))
            and figure["cost_usd"] == _known_sum(runs["cost_usd"], unlisted["cost_usd"])
        )


def _less(whole: Any, part: Any) -> Any:
    return None if whole is None else whole - (part or 0)


def _plus(listed: Any, unlisted: Any) -> Any:
    return None if unlisted is None else unlisted + (listed or 0)


def _known_sum(*parts: Decimal | None) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if known else None


def agent_day(con: duckdb.DuckDBPyConnection, agent: KnownAgent, day: date) -> AgentDay:
    """Return the figure of an agent's day; UsageError if there is none."""
    key = [agent.workspace_id, agent.agent_id, day]
    columns = (*SUMS, *_PARTS)
    row = con.execute(
        f"select {', '.join(columns)} from marts.fct_agent_days where {_OF_AGENT_DAY}", key
    ).fetchone()
    if row is None:
        raise UsageError(
            f"There is no figure of {escaped(agent.name)} on {day}. {_first_and_last(agent)}"
        )

    figure = dict(zip(columns, row, strict=True))

    def listed(which: str) -> dict[str, Any]:
        sums = con.execute(f"select {_SUMS_OF_RUNS} from marts.fct_runs where {which}", key)
        return dict(zip(SUMS, sums.fetchone() or (), strict=True))

    is_platform = agent.line_type == "platform"
    parts = {name: figure[name] for name in SUMS} if is_platform else listed(_OF_AGENT_DAY)
    return AgentDay(agent, day, figure, parts, listed(_OF_UTC_DAY))


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
            f"No published run has an id that begins with `{escaped(run_id)}`.\n"
            'To see runs: analytics sql "select run_id, agent_name, created_at from fct_runs"'
        )
    if names[0] != run_id and len(names) > 1:
        shown = ", ".join(map(escaped, names[:3])) + (", …" if len(names) > 3 else "")
        raise UsageError(f"Several runs begin with `{escaped(run_id)}`: {shown}.")
    return _traced(con, "run_id = $1", [names[0]])


def _traced(con: duckdb.DuckDBPyConnection, which: str, key: list[Any]) -> list[TracedRun]:
    runs: dict[tuple[str, str], TracedRun] = {}
    sql = _VERSIONS.format(which=which, file=RUNS_FILE)
    for row in con.execute(sql, key).fetchall():
        run_id, status, cost_usd, _, seen_at, superseded_by, *rest = row
        workspace_id, load_id, line, file_bytes, sha256, *request = rest
        file = LandingFile(workspace_id, load_id, RUNS_FILE, file_bytes, sha256)
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
    return f"Its first date with figures is {agent.first_day}, its last {agent.last_day}."
