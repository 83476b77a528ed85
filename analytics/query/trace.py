"""`analytics trace`: from a published figure to its runs, landing lines and the API's responses."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from analytics.errors import ControlError, UsageError
from analytics.query.agents import find_agent
from analytics.query.published import open_published
from analytics.terminal import escaped
from analytics.warehouse.database import records
from analytics.warehouse.landed import SUFFIX
from analytics.warehouse.layout import Layout
from analytics.warehouse.sources import RUNS

_SUMS_OF_RUNS = """
    count(*) as run_count, count(*) filter (status = 'succeeded') as succeeded_count,
    count(*) filter (status = 'failed') as failed_count,
    count(*) filter (status = 'cancelled') as cancelled_count,
    count(*) filter (not is_terminal) as open_count,
    count(*) filter (cost_usd is null) as unknown_cost_count, sum(cost_usd) as cost_usd,
    sum(tokens_in)::bigint as tokens_in, sum(tokens_out)::bigint as tokens_out
"""
_FIGURE = """
    date, run_count, succeeded_count, failed_count, cancelled_count, open_count, unknown_cost_count,
    cost_usd, tokens_in, tokens_out, listed_run_count, unlisted_run_count, unlisted_failed_count,
    listed_cost_usd, unlisted_cost_usd
"""
_OUTCOMES = ("succeeded_count", "failed_count", "cancelled_count", "open_count")
_OF_AGENT_DAY = "workspace_id = $1 and agent_id = $2 and date = $3"
# What leads from a row of `v`, of a source, to its landing file and its request.
_LANDING = """
    {{
        'file': concat_ws('/', 'landing', v.workspace_id, v.load_id, {name}),
        'byte_count': f.byte_count, 'sha256': f.sha256
    }} as landing,
    {{
        'load_id': v.load_id, 'request': v.request_number, 'path': q.path, 'params': q.params,
        'status': q.status, 'byte_count': q.byte_count, 'record_count': q.record_count,
        'fetched_at': q.fetched_at
    }} as request
"""
_JOINS = """
    left join audit.landing_files as f
        on f.workspace_id = v.workspace_id and f.load_id = v.load_id and f.file_name = {name}
    left join audit.requests as q
        on q.workspace_id = v.workspace_id and q.load_id = v.load_id
        and q.request_number = v.request_number
"""
# Current versions come first, the most expensive run on top; earlier versions follow as seen.
_VERSIONS = """
    with runs as (from marts.fct_runs where {which}),
    versions as (
        select workspace_id, run_id, status, cost_usd, created_at,
            load_id, request_number, file_line,
            last_changed_at as seen_at, null as superseded_by_load_id, 0 as version_number
        from runs
        union all
        select workspace_id, run_id, status, cost_usd, created_at,
            load_id, request_number, file_line,
            seen_at, superseded_by_load_id, version_number
        from audit.run_versions semi join runs using (workspace_id, run_id)
        where not is_current
    )
    select v.workspace_id, v.run_id, v.status, v.cost_usd, v.seen_at, v.superseded_by_load_id,
        v.file_line as line, {landing}
    from versions as v {joins}
    order by v.version_number > 0, v.cost_usd desc nulls last, v.created_at, v.run_id,
        v.version_number
"""
# What the page of an agent says of a run.
_FACTS = """
    select workspace_id, workspace_name, agent_id, agent_name, agent_slug, agent_version,
        created_at, trigger_type, parent_run_id, error_class, error_message, queue_seconds,
        duration_seconds, tokens_in, tokens_out
    from marts.fct_runs
    where run_id = $1
"""
_MODELS = """
    select workspace_id, model, provider, cost_usd, tokens_in, tokens_out, request_count
    from marts.fct_run_models
    where run_id = $1
    order by cost_usd desc nulls last, model, provider
"""
# The answer that is in force: of each source the last one whose window holds the UTC day.
_ANSWERS = """
    select v.source, {landing}
    from (
        select distinct on (source) source, workspace_id, load_id, request_number
        from audit.requests
        where workspace_id = $1 and coalesce(agent_id, $2) = $2 and status = 200
            and window_start <= $3 and window_end > $3 and list_contains($4, source)
        order by source, load_id desc, request_number desc
    ) as v {joins}
    order by v.source desc
"""
_SHOWN_FINDINGS = 5


@dataclass(frozen=True)
class Trace:
    """A figure and its parts (None for a single run), what they were made of, and mismatches.

    Each run has its `earlier_versions`, and a single one its `models`. `answers` are the API's
    responses with counts and totals of runs that no list showed, and of the platform's own
    activity.
    """

    figure: dict[str, Any] | None = None
    runs_sum: dict[str, Any] | None = None
    unlisted: dict[str, Any] | None = None
    answers: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, str]] = field(default_factory=list)


def trace(
    layout: Layout,
    *,
    agent: str | None,
    day: str | None,
    workspace: str | None,
    run_id: str | None,
) -> Trace:
    """Trace an agent's day, or one run; UsageError if it does not exist."""
    with open_published(layout.published_file) as con:
        if run_id is not None and agent is day is workspace is None:
            found = Trace(runs=_run_by_id(con, run_id))
        elif run_id is not None or agent is None or day is None:
            raise UsageError("Say --agent and --date (and perhaps --workspace), or --run alone.")
        else:
            found = _agent_day(con, find_agent(con, agent, workspace), _date(day))
    versions = [each for run in found.runs for each in (run, *run["earlier_versions"])]
    differences: dict[str, str | None] = {}
    for each in (*versions, *found.answers):
        landing, request = each["landing"], each["request"]
        request["params"] = json.loads(request["params"] or "null")
        path = landing["file"]
        if path not in differences:
            differences[path] = _difference(layout.root / path, landing["sha256"])
        landing["is_verified"] = None if differences[path] is None else not differences[path]
    found.findings.extend(
        {"file": path, "finding": finding} for path, finding in differences.items() if finding
    )
    return found


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"`{escaped(text)}` is no day: write it as 2026-11-19.") from None


def _agent_day(con: duckdb.DuckDBPyConnection, agent: dict[str, Any], day: date) -> Trace:
    """Return the figure of an agent's day with its parts; UsageError if there is none."""
    key = [agent["workspace_id"], agent["agent_id"], day]
    first, last = agent.pop("first_date"), agent.pop("last_date")
    found = records(con, f"select {_FIGURE} from marts.fct_agent_days where {_OF_AGENT_DAY}", key)
    if not found:
        reach = f"Its first date with figures is {first}, its last {last}."
        raise UsageError(
            f"There is no figure of {escaped(agent['agent_name'])} on {day}."
            f" {reach if first else 'It has none on any day.'}"
        )
    figure = agent | found[0]
    if agent["line_type"] == "platform":
        return Trace(figure, answers=_answers(con, [*key, ["platform_rollups"]]))
    sums = f"select {_SUMS_OF_RUNS} from marts.fct_runs where {_OF_AGENT_DAY}"
    (runs_sum,) = records(con, sums, key)
    unlisted, answers = None, []
    if figure["unlisted_run_count"]:
        unlisted = {name: _less(figure[name], listed) for name, listed in runs_sum.items()}
        if figure["unlisted_failed_count"] is None:
            unlisted |= dict.fromkeys(_OUTCOMES)
        unlisted |= {"cost_usd": figure["unlisted_cost_usd"]}
        answers = _answers(con, [*key, ["run_counts", "agent_rollups"]])
    runs_sum["adds_up"] = _adds_up(figure, runs_sum, unlisted)
    return Trace(figure, runs_sum, unlisted, answers, _traced(con, _OF_AGENT_DAY, key))


def _adds_up(figure: dict[str, Any], runs: dict[str, Any], unlisted: dict[str, Any] | None) -> bool:
    """Return True if the sum of the parts equals the figure, to the last digit."""
    if unlisted is None:
        return {name: figure[name] for name in runs} == runs
    known = [each for each in (runs["cost_usd"], unlisted["cost_usd"]) if each is not None]
    return (
        figure["listed_run_count"] == runs["run_count"]
        and figure["listed_cost_usd"] == (runs["cost_usd"] if runs["run_count"] else 0)
        and figure["unlisted_run_count"] == unlisted["run_count"]
        and all((unlisted[name] or 0) >= 0 for name in unlisted if name.endswith("_count"))
        and figure["cost_usd"] == (sum(known, Decimal(0)) if known else None)
    )


def _less(whole: Any, part: Any) -> Any:
    return None if whole is None else whole - (part or 0)


def _run_by_id(con: duckdb.DuckDBPyConnection, run_id: str) -> list[dict[str, Any]]:
    """Return the run with an id, or with its beginning, and all that is known of it.

    There is more than one run only if two workspaces have the same id. UsageError if there is none,
    or if several begin so.
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
    key = [names[0]]
    facts = {each["workspace_id"]: each for each in records(con, _FACTS, key)}
    models = records(con, _MODELS, key)
    return [
        run
        | facts[run["workspace_id"]]
        | {"models": [each for each in models if each["workspace_id"] == run["workspace_id"]]}
        for run in _traced(con, "run_id = $1", key)
    ]


def _traced(con: duckdb.DuckDBPyConnection, which: str, key: list[Any]) -> list[dict[str, Any]]:
    """Return runs, the most expensive first, each with its earlier versions."""
    name = f"'{RUNS.name}{SUFFIX}'"
    sql = _VERSIONS.format(
        which=which, landing=_LANDING.format(name=name), joins=_JOINS.format(name=name)
    )
    runs: dict[tuple[str, str], dict[str, Any]] = {}
    for version in records(con, sql, key):
        identity = version["workspace_id"], version["run_id"]
        version["landing"] = {"line": version.pop("line"), **version["landing"]}
        if identity in runs:
            runs[identity]["earlier_versions"].append(version)
        else:
            runs[identity] = version | {"earlier_versions": []}
    return [*runs.values()]


def _answers(con: duckdb.DuckDBPyConnection, key: list[Any]) -> list[dict[str, Any]]:
    name = f"v.source || '{SUFFIX}'"
    sql = _ANSWERS.format(landing=_LANDING.format(name=name), joins=_JOINS.format(name=name))
    return records(con, sql, key)


def _difference(path: Path, sha256: str | None) -> str | None:
    """Return how a landing file differs from that of the ledger; None if it is not here."""
    try:
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"it cannot be read: {error}"
    return "" if found == sha256 else f"its SHA-256 is {found}, the ledger has {sha256}"


def require_agreement(found: Trace) -> None:
    """Raise ControlError if the parts do not add up, or a landing file differs."""
    broken = [f"{each['file']}: {each['finding']}" for each in found.findings]
    if found.runs_sum and not found.runs_sum["adds_up"]:
        broken.insert(0, "the parts do not add up to the figure")
    if broken:
        more = len(broken) - _SHOWN_FINDINGS
        said = [escaped(each) for each in broken[:_SHOWN_FINDINGS]]
        said += [f"… and {more} more; --json has all."] if more > 0 else []
        agreed = "What was published does not agree with what it was made of."
        raise ControlError("\n".join([agreed, *said]))
