"""A schema `marts` with made-up runs, and the marts that follow from them as the real ones do.

It holds the columns that reports read; `test_real_marts.py` compares them with the real ones.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from analytics.transform import forecasts, unusual_days
from tests.report import control_marts

AS_OF = datetime(2026, 3, 14, 6, 0, tzinfo=UTC)

_TABLES = """
create schema marts;
create schema audit;
set search_path = 'marts,audit';
create table marts.dim_workspaces (
    workspace_id varchar, workspace_name varchar,
    first_batch_at timestamptz, last_batch_at timestamptz,
    reporting_timezone varchar default 'UTC',
    last_complete_date date generated always as ((last_batch_at at time zone 'UTC')::date - 1));
create table marts.dim_agents (
    workspace_id varchar, agent_id varchar, agent_slug varchar, agent_name varchar,
    line_type varchar default 'agent', status varchar, is_listed boolean,
    first_seen_at timestamptz, last_run_at timestamptz, first_counted_date date);
create table marts.fct_runs (
    workspace_id varchar, run_id varchar, agent_id varchar, agent_version bigint,
    kind varchar, parent_run_id varchar, session_id varchar,
    status varchar, date date, created_at timestamptz, queue_seconds double,
    duration_seconds double, cost_usd decimal(18,10), tokens_in bigint, tokens_out bigint,
    error_class varchar, is_terminal boolean, has_no_usage boolean,
    load_id varchar default '20260314T060000Z-001-lists', request integer default 0,
    is_final boolean as (is_terminal), last_changed_at timestamptz as (created_at));
create table marts.fct_run_models (
    workspace_id varchar, run_id varchar, model varchar, provider varchar,
    cost_usd decimal(38,10), tokens_in bigint, tokens_out bigint, request_count bigint);
create table marts.fct_log_events (
    workspace_id varchar, run_id varchar, seq bigint, occurred_at timestamptz, level varchar,
    node varchar, event_kind varchar, tool_name varchar, is_error boolean, duration_ms double);
create table marts.fct_model_days (
    workspace_id varchar, agent_id varchar, utc_date date, model varchar, provider varchar,
    cost_usd decimal(38,10), tokens_in bigint, tokens_out bigint, request_count bigint);
create table marts.fct_billing_days (
    workspace_id varchar, utc_date date, provider varchar,
    cost_usd decimal(38,10), billed_usd decimal(38,10), own_key_usd decimal(38,10) default 0,
    surcharge_usd decimal(38,10) as (billed_usd - cost_usd + own_key_usd));
create table marts.fct_platform_agent_days (
    workspace_id varchar, utc_date date, platform_agent_id varchar, platform_agent_slug varchar,
    platform_agent_name varchar, run_count bigint,
    cost_usd decimal(38,10), billed_usd decimal(38,10));
create table audit.list_snapshots (
    workspace_id varchar, agent_id varchar, gap_after timestamptz, gap_before timestamptz);
-- What the API reports of runs that no list ever showed, and since when it was asked.
create schema given;
create table given.unlisted_days (
    workspace_id varchar, agent_id varchar, date date, run_count bigint,
    failed_count bigint default 0, cost_usd decimal(38,10), tokens_in bigint, tokens_out bigint);
create table given.first_days (workspace_id varchar, date date);
create table audit.quarantined_records (
    workspace_id varchar, source varchar, reason varchar,
    load_id varchar default '20260314T060000Z-001-lists');
create table audit.check_results (
    check_name varchar, claim varchar, violation_count bigint, is_ok boolean,
    control varchar, is_blocking boolean default false, finding varchar);
"""

_MEASURES = """
    sum(run_count)::bigint as run_count,
    sum(succeeded_count)::bigint as succeeded_count,
    sum(failed_count)::bigint as failed_count,
    sum(cancelled_count)::bigint as cancelled_count,
    sum(open_count)::bigint as open_count,
    sum(no_usage_count)::bigint as no_usage_count,
    sum(unknown_cost_count)::bigint as unknown_cost_count,
    sum(listed_run_count)::bigint as listed_run_count,
    sum(run_count - listed_run_count)::bigint as unlisted_run_count,
    coalesce(sum(failed_count) filter (is_unlisted), 0)::bigint as unlisted_failed_count,
    sum(cost_usd) as cost_usd,
    if(bool_or(is_unlisted), sum(cost_usd) filter (is_unlisted), 0)::decimal(38,10)
        as unlisted_cost_usd,
    if(bool_or(failed_count > 0 and not is_unlisted),
        sum(cost_usd) filter (failed_count > 0 and not is_unlisted), 0)::decimal(38,10)
        as failed_cost_usd,
    if(bool_or(failed_count > 0 and is_unlisted and cost_usd is null), null,
        if(bool_or(failed_count > 0 and not is_unlisted),
            sum(cost_usd) filter (failed_count > 0 and not is_unlisted), 0)
        + coalesce(sum(cost_usd) filter (failed_count > 0 and is_unlisted), 0))::decimal(38,10)
        as failed_cost_high_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out"""
_PLATFORM_COST = """coalesce(sum(cost_usd) filter (agent_id = '(platform)'), 0)::decimal(38,10)
    as platform_cost_usd"""

_DERIVED = f"""
insert into marts.dim_agents (workspace_id, agent_id, agent_name, line_type, is_listed)
    select workspace_id, unnest(['(none)', '(platform)']), unnest(['No agent', 'Platform']),
        unnest(['no_agent', 'platform']), false
    from marts.dim_workspaces;
insert into marts.fct_model_days
    select workspace_id, if(agent_id = '(none)', '(platform)', agent_id), date, model, provider,
        sum(m.cost_usd), sum(m.tokens_in), sum(m.tokens_out), sum(coalesce(request_count, 1))
    from marts.fct_run_models as m join marts.fct_runs using (workspace_id, run_id)
    group by all;
create table marts.fct_tool_calls as
    with numbered as (
        select *, row_number() over (
            partition by workspace_id, run_id, event_kind order by seq) as call_number
        from marts.fct_log_events
    )
    select u.workspace_id, u.run_id, call_number, u.tool_name, u.node, r.is_error, r.duration_ms
    from (from numbered where event_kind = 'tool_use') as u
    left join (from numbered where event_kind = 'tool_result') as r
        using (workspace_id, run_id, call_number);
create view given.parts as
    select workspace_id, agent_id, date, 1 as run_count, 1 as listed_run_count,
        false as is_unlisted, (status = 'succeeded')::int as succeeded_count,
        (status = 'failed')::int as failed_count, (status = 'cancelled')::int as cancelled_count,
        (not is_terminal)::int as open_count, has_no_usage::int as no_usage_count,
        (cost_usd is null)::int as unknown_cost_count, cost_usd::decimal(38,10) as cost_usd,
        tokens_in, tokens_out
    from marts.fct_runs
    union all
    select workspace_id, agent_id, date, run_count, 0, true, run_count - failed_count,
        failed_count, 0, 0, 0, if(cost_usd is null, run_count, 0), cost_usd, tokens_in, tokens_out
    from given.unlisted_days
    union all
    select workspace_id, '(platform)', utc_date, 0, 0, false, 0, 0, 0, 0, 0, 0, sum(cost_usd), 0, 0
    from marts.fct_platform_agent_days group by workspace_id, utc_date;
create table marts.dim_dates as
    with spans as (
        select workspace_id, min(p.date) as first_date, any_value(f.date) as asked_from
        from given.parts as p left join given.first_days as f using (workspace_id)
        group by workspace_id
    ), dates as (
        select workspace_id, last_batch_at, asked_from, unnest(generate_series(
            least(first_date, asked_from)::timestamp, (last_batch_at at time zone 'UTC')::date,
            interval 1 day))::date as date
        from spans join marts.dim_workspaces using (workspace_id)
    )
    select workspace_id, date, date < (last_batch_at at time zone 'UTC')::date
            and date >= coalesce(asked_from, date) as is_complete
    from dates;
create table marts.fct_agent_days as
    select workspace_id, agent_id, line_type, date, {_MEASURES}
    from given.parts left join marts.dim_agents using (workspace_id, agent_id) group by all;
create table marts.fct_workspace_days as
    select workspace_id, date, {_PLATFORM_COST}, {_MEASURES} from given.parts group by all;
create table marts.fct_agent_months as
    select workspace_id, agent_id, line_type, date_trunc('month', date)::date as month, {_MEASURES}
    from given.parts left join marts.dim_agents using (workspace_id, agent_id) group by all;
create table marts.fct_workspace_months as
    select workspace_id, date_trunc('month', date)::date as month, {_PLATFORM_COST}, {_MEASURES}
    from given.parts group by all;
"""

_MADE_UP = """
insert into marts.dim_workspaces (workspace_id, workspace_name, first_batch_at, last_batch_at)
    select 'ws-' || w, ['Production', 'Staging', 'Research'][1 + w % 3],
        timestamptz '2025-12-01 04:00:00+00', timestamptz '2026-03-14 06:00:00+00'
    from range(getvariable('workspaces')) as t(w);

insert into marts.dim_agents by name
    select 'ws-' || w as workspace_id, 'agent-' || w || '-' || a as agent_id,
        'agent-' || a as agent_slug,
        ['Invoice reader', 'Support triage', 'Release notes', 'Code review'][1 + a % 4]
            || ' ' || a as agent_name,
        if(a % 11 = 10, 'archived', 'active') as status, a % 13 != 12 as is_listed,
        timestamptz '2025-12-01 04:00:00+00' as first_seen_at,
        timestamptz '2026-03-14 05:00:00+00' as last_run_at
    from range(getvariable('workspaces')) as t(w), range(getvariable('agents')) as u(a);

insert into marts.fct_runs
    with runs as (
        select w, a, d, r, (hash(w, a, d, r) % 1000003)::bigint as h,
            date '2026-03-14' - d::integer as date
        from range(getvariable('workspaces')) as t(w), range(getvariable('agents')) as u(a),
            range(getvariable('days')) as v(d), range(getvariable('runs_a_day')) as x(r)
    ), ended as (
        select *, case when d = 0 and h % 3 = 0 then 'running'
            when h % 100 < 4 + a % 5 * 3 then 'failed'
            when h % 100 > 96 then 'cancelled' else 'succeeded' end as status
        from runs where h % 10 < if(dayofweek(date) in (0, 6), 4, 8)
    )
    select 'ws-' || w, md5('run-' || w || '-' || a || '-' || d || '-' || r)::uuid::varchar,
        if(a = 5 and h % 7 = 0, '(none)', 'agent-' || w || '-' || a), 1 + d // 30,
        'agent', if(h % 19 = 0, 'run-parent', null), 'session-' || h % 97,
        status, date, date::timestamptz + to_seconds(h % 86000), 1 + h % 40, 5 + h % 900,
        if(h % 211 = 0, null,
            (power(1.3, (h % 23)::double) * (1 + a * 7 % 5) / 100)::decimal(18,10)),
        1000 + h % 90000, 100 + h % 4000,
        if(status = 'failed', ['timeout', 'rate_limit', 'budget', 'other'][1 + h // 5 % 4], null),
        status != 'running', h % 503 = 0,
        '202603' || 10 + d % 5 || 'T060000Z-002-lists', a
    from ended;

insert into marts.fct_run_models
    select workspace_id, run_id, model, if(model like 'claude%', 'anthropic', 'openai'),
        cost_usd, tokens_in, tokens_out, 1 + tokens_in % 9
    from (
        select *, ['claude-sonnet-5', 'claude-haiku-5', 'gpt-5.2'][1 + tokens_in % 3] as model
        from marts.fct_runs where is_terminal and cost_usd is not null
    );

insert into marts.fct_log_events
    select workspace_id, run_id, e, created_at + to_seconds(1 + e * (1 + tokens_in % 11)), 'INFO',
        'agent', ['node_boot', 'tool_use', 'tool_result', 'thinking'][1 + e % 4],
        if(e % 4 = 1, ['read_file', 'search_wiki', 'run_tests'][1 + (tokens_in + e) % 3], null),
        if(e % 4 = 2, (tokens_in + e) % 13 = 0, null),
        if(e % 4 = 2, 100 + tokens_in * (e + 1) % 9000, null)
    from marts.fct_runs, range(12) as t(e)
    where is_terminal and date > date '2026-03-14' - 60;

insert into given.unlisted_days
    select 'ws-' || w, 'agent-' || w || '-1', date '2026-03-14' - d::integer, 4, d % 3,
        0.3333 * (1 + d % 7), 9000, 700
    from range(getvariable('workspaces')) as t(w), range(1, getvariable('days'), 5) as u(d);

insert into marts.fct_billing_days by name
    select workspace_id, date as utc_date, provider, sum(m.cost_usd) as cost_usd,
        sum(if(provider = 'openai', 0, m.cost_usd)) as billed_usd,
        sum(if(provider = 'openai', m.cost_usd, 0)) as own_key_usd
    from marts.fct_run_models as m join marts.fct_runs using (workspace_id, run_id)
    group by all;

insert into marts.fct_platform_agent_days
    select 'ws-' || w, date '2026-03-13' - d::integer, 'platform-' || p, null,
        ['Builder', 'Verifier'][1 + p], 2 + d % 3,
        0.0731 * (1 + d % 5), if(p = 0, 0, 0.0731 * (1 + d % 5))
    from range(getvariable('workspaces')) as t(w), range(60) as u(d), range(2) as v(p);

insert into audit.list_snapshots values
    ('ws-0', 'agent-0-1', timestamptz '2026-01-31 22:00:00+00',
        timestamptz '2026-02-01 03:00:00+00');
insert into audit.quarantined_records (workspace_id, source, reason)
    select 'ws-0', 'runs', 'tokens_in: above 10^15' from range(3);
insert into audit.check_results (check_name, claim, violation_count, is_ok) values
    ('agent_days_add_up_to_runs', 'Agent days add up to runs.', 0, true),
    ('runs_are_unique', 'Runs are unique.', 2, false);
"""


def empty() -> duckdb.DuckDBPyConnection:
    """The tables that are filled by hand, without a row."""
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    con.execute(_TABLES)
    con.execute(control_marts.TABLES)
    return con


def derive(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Adds the marts that follow from the runs."""
    con.execute(_DERIVED)
    con.execute(control_marts.DERIVED)
    for model in (forecasts.MODEL, unusual_days.MODEL):
        model.make(con, model.relation)
    return con


def made_up(*, controls: bool = False, **size: int) -> duckdb.DuckDBPyConnection:
    """Workspaces with agents and runs, the same on each call; gaps and the rest if asked for."""
    con = empty()
    for name, number in (
        {"workspaces": 2, "agents": 12, "days": 100, "runs_a_day": 4} | size
    ).items():
        con.execute(f"set variable {name} = {number}")
    con.execute(_MADE_UP)
    if controls:
        con.execute(control_marts.MADE_UP)
    return derive(con)


def insert(con: duckdb.DuckDBPyConnection, table: str, **columns: Any) -> None:
    """A row of a table."""
    names, marks = ", ".join(columns), ", ".join("?" for _ in columns)
    con.execute(f"insert into {table} ({names}) values ({marks})", list(columns.values()))


def workspace(con: duckdb.DuckDBPyConnection, name: str = "Bakery", **columns: Any) -> None:
    """A workspace that was read up to AS_OF."""
    given = {"workspace_id": "ws", "workspace_name": name, "last_batch_at": AS_OF}
    insert(con, "dim_workspaces", **(given | columns))


def agent(con: duckdb.DuckDBPyConnection, name: str | None = "Baker", **columns: Any) -> None:
    """An agent of that workspace."""
    given = {"workspace_id": "ws", "agent_id": "a-1", "agent_name": name, "is_listed": True}
    insert(con, "dim_agents", **(given | columns))


def run(con: duckdb.DuckDBPyConnection, day: date, **columns: Any) -> None:
    """A run of that agent, at noon."""
    (number,) = con.execute("select count(*) from marts.fct_runs").fetchone() or (0,)
    given: dict[str, Any] = {
        "workspace_id": "ws",
        "run_id": f"r-{number}",
        "agent_id": "a-1",
        "agent_version": 1,
        "kind": "agent",
        "status": "succeeded",
        "date": day,
        "created_at": datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=12),
        "cost_usd": "0.25",
        "tokens_in": 1000,
        "tokens_out": 100,
        "has_no_usage": False,
    }
    row = given | columns
    row["agent_id"] = row["agent_id"] or "(none)"
    row["is_terminal"] = row["status"] in {"succeeded", "failed", "cancelled"}
    insert(con, "fct_runs", **row)
