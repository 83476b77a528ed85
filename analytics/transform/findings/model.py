"""Findings of all kinds, each where another does not say the same.

Each input is a SELECT of the last weeks, so that a long history costs no more.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from datetime import date, datetime, timedelta

import polars as pl

from analytics.transform.findings import failures, standing, steps
from analytics.transform.findings.finding import SCHEMA, Begun, Finding, in_utc
from analytics.transform.models import Header, polars_model

_AN_HOUR = timedelta(hours=1)
_ABOUT, _ABOUT_OF_RUNS = timedelta(days=2), timedelta(days=7)  # between what is one and the same
_FEWEST_RUNS = 5  # of a day, by which the cost of a run is known


def findings(
    workspaces: pl.DataFrame,
    agents: pl.DataFrame,
    hours: pl.DataFrame,
    runs: pl.DataFrame,
    tools: pl.DataFrame,
    tool_errors: pl.DataFrame,
    days: pl.DataFrame,
    versions: pl.DataFrame,
    version_hours: pl.DataFrame,
    version_costs: pl.DataFrame,
    intervals: pl.DataFrame,
    idle: pl.DataFrame,
    repeated: pl.DataFrame,
) -> pl.DataFrame:
    """Return one row a finding, as `finding.SCHEMA` has it."""
    if workspaces.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    last: datetime = workspaces["last_batch_at"].max()  # type: ignore[assignment]
    recent = last - timedelta(days=standing.RECENT_DAYS)
    whole = hours.filter("is_whole").with_columns(utc_date=pl.col("hour").dt.date())
    errors = _errors(hours, tools, runs)
    of_services = [
        each
        for of in ("provider", "tool")
        for each in failures.bursts(of, errors[of], recent, last)
    ]
    began = _days_by_agent(versions, pl.col("first_run_at").dt.date())
    priced = steps.price_steps(whole, began)
    stepped = _stepped(priced, whole)
    worse = failures.worse_versions(
        versions, _without(version_hours, of_services, last), version_costs, stepped
    )
    is_worse = defaultdict[tuple[str, str], list[Finding]](list)
    for each in worse:
        is_worse[each.workspace_id, each.agent_id].append(each)

    def explained(workspace_id: str, agent_id: str, since: date) -> bool:
        agent = workspace_id, agent_id
        days = {*stepped.get(agent, ()), *(each.since.date() for each in is_worse.get(agent, ()))}
        return any(abs(day - since) <= _ABOUT for day in days)

    met = {
        "provider": errors["provider"],
        "tool": tool_errors.rename({"tool_name": "subject"}),
        "agent": errors["agent"],
    }
    of_runs = steps.cost_jumps("run", _run_days(agents, days), explained)
    raised = _days_by_agent(
        pl.DataFrame(map(asdict, of_runs), schema=SCHEMA), pl.col("since").dt.date()
    )

    def explained_too(workspace_id: str, agent_id: str, since: date) -> bool:
        of_agent = raised.get((workspace_id, agent_id), ())
        return explained(workspace_id, agent_id, since) or any(
            abs(day - since) <= _ABOUT_OF_RUNS for day in of_agent
        )

    jumps = [*of_runs, *steps.cost_jumps("day", _agent_days(whole), explained_too)]
    of_agents = [
        each
        for each in failures.bursts("agent", errors["agent"], recent, last)
        if not any(
            _overlap(each, other)
            for other in (*of_services, *is_worse[each.workspace_id, each.agent_id])
            if each.workspace_id == other.workspace_id
        )
    ]
    found = [
        *worse,
        *priced,
        *failures.with_runs([*of_services, *of_agents], met, runs, days),
        *jumps,
        *standing.waste("idle_runs", idle),
        *standing.waste("repeated_errors", repeated),
        *standing.changed_agents(agents, days),
        *standing.unlisted_runs(agents, days, intervals),
    ]
    return pl.DataFrame(list(map(asdict, found)), schema=SCHEMA)


def _errors(
    hours: pl.DataFrame, tools: pl.DataFrame, runs: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Return errors by subject and hour: of model providers, of tools, and of agents' runs."""
    subject = pl.col("agent_id").alias("subject")
    return {
        "provider": hours.rename({"provider": "subject", "request_count": "try_count"}),
        "tool": tools.rename({"tool_name": "subject", "call_count": "try_count"}),
        "agent": runs.with_columns(subject).rename(
            {"failed_count": "error_count", "finished_count": "try_count"}
        ),
    }


def _without(
    version_hours: pl.DataFrame, of_services: list[Finding], last: datetime
) -> pl.DataFrame:
    """Return the hours of versions without those in which a service failed."""
    odd = {
        (each.workspace_id, each.since + hour * _AN_HOUR)
        for each in of_services
        for hour in range(((each.until or last + _AN_HOUR) - each.since) // _AN_HOUR)
    }
    schema = {name: version_hours.schema[name] for name in ("workspace_id", "hour")}
    return version_hours.join(
        pl.DataFrame(list(odd), schema=schema, orient="row"), on=list(schema), how="anti"
    )


def _days_by_agent(frame: pl.DataFrame, day: pl.Expr) -> Begun:
    found = defaultdict[tuple[str, str], set[date]](set)
    for workspace_id, agent_id, each in frame.select(
        "workspace_id", "agent_id", day.alias("day")
    ).iter_rows():
        found[workspace_id, agent_id].add(each)
    return found


def _stepped(priced: list[Finding], hours: pl.DataFrame) -> Begun:
    """Return the days on which the price of a model stepped, for each agent that uses it."""
    prices = pl.DataFrame(
        [(each.workspace_id, each.detail, each.subject, each.since.date()) for each in priced],
        schema={"workspace_id": str, "provider": str, "model": str, "since": pl.Date},
        orient="row",
    )
    use = hours.select("workspace_id", "agent_id", "provider", "model").unique()
    return _days_by_agent(
        use.join(prices, on=["workspace_id", "provider", "model"]), pl.col("since")
    )


def _agent_days(hours: pl.DataFrame) -> pl.DataFrame:
    """Return what agents cost a UTC day, of days on which they cost something."""
    return (
        hours.group_by("workspace_id", "agent_id", date="utc_date")
        .agg(usd=pl.col("metered_cost_usd").sum(), part_count=pl.lit(1))
        .filter(pl.col("usd") > 0, pl.col("agent_id").str.starts_with("(").not_())
        .sort("workspace_id", "agent_id", "date")
    )


def _run_days(agents: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return what the runs of agents cost, listed or not, of complete days with some runs."""
    return (
        days.join(
            agents.select("workspace_id", "agent_id", "last_date"), on=["workspace_id", "agent_id"]
        )
        .filter(
            pl.col("date") <= pl.col("last_date"),
            pl.col("run_count") >= _FEWEST_RUNS,
            pl.col("cost_usd") > 0,
        )
        .select("workspace_id", "agent_id", "date", usd="cost_usd", part_count="run_count")
        .sort("workspace_id", "agent_id", "date")
    )


def _overlap(one: Finding, other: Finding) -> bool:
    return (other.until is None or one.since <= other.until) and (
        one.until is None or other.since <= one.until
    )


def _recent(column: str, days: int) -> str:
    return f"{column} >= workspaces.last_batch_at - interval {days} days"


_WORKSPACES = "join marts.dim_workspaces as workspaces using (workspace_id)"
_WINDOW = steps.WINDOW + 1
_HOUR = "date_trunc('hour', {} at time zone 'UTC') at time zone 'UTC'"

_AGENTS = """
    select
        agents.workspace_id,
        agents.agent_id,
        is_listed and status not in ('paused', 'archived') as is_on,
        firsts.first_date,
        firsts.last_run_date,
        workspaces.last_complete_date as last_date,
        (workspaces.first_batch_at at time zone 'UTC')::date as first_batch_date,
        min(firsts.began) over (partition by agents.workspace_id) as began
    from marts.dim_agents as agents
    join marts.dim_workspaces as workspaces using (workspace_id)
    left join (
        select
            workspace_id,
            agent_id,
            min(date) filter (run_count > 0) as first_date,
            max(date) filter (run_count > 0) as last_run_date,
            min(date) as began
        from marts.fct_agent_days
        group by workspace_id, agent_id
    ) as firsts using (workspace_id, agent_id)
    where line_type = 'agent' and last_complete_date is not null
"""
_HOURS = f"""
    select
        workspace_id,
        hour,
        hours.agent_id,
        provider,
        model,
        metered_cost_usd,
        tokens_in,
        tokens_out,
        request_count,
        error_count,
        (hour at time zone 'UTC')::date < (last_batch_at at time zone 'UTC')::date as is_whole
    from marts.fct_usage_hours as hours
    {_WORKSPACES}
    where {_recent("hour", _WINDOW)}
"""
_RUNS = f"""
    select
        workspace_id,
        runs.agent_id,
        {_HOUR.format("created_at")} as hour,
        count(*) filter (status in ('succeeded', 'failed')) as finished_count,
        count(*) filter (status = 'failed') as failed_count,
        sum(cost_usd) filter (status = 'failed') as failed_cost_usd
    from marts.fct_runs as runs
    {_WORKSPACES}
    where {_recent("created_at", _WINDOW)}
    group by all
"""
_TOOLS = f"""
    select
        workspace_id,
        tool_name,
        {_HOUR.format("called_at")} as hour,
        count(*) as call_count,
        count(*) filter (is_error) as error_count,
        count(distinct run_id) filter (is_error) as met_count
    from marts.fct_tool_calls
    {_WORKSPACES}
    where {_recent("called_at", _WINDOW)} and tool_name is not null
    group by all
"""
_TOOL_ERRORS = f"""
    select
        workspace_id,
        runs.agent_id,
        tool_name,
        {_HOUR.format("called_at")} as hour,
        count(*) as error_count
    from marts.fct_tool_calls as calls
    join marts.fct_runs as runs using (workspace_id, run_id)
    {_WORKSPACES}
    where is_error and {_recent("called_at", _WINDOW)} and tool_name is not null
    group by all
"""
_DAYS = f"""
    select
        workspace_id,
        days.agent_id,
        date,
        run_count,
        unlisted_run_count,
        unlisted_failed_count,
        cost_usd,
        failed_cost_high_usd - failed_cost_usd as failed_spread_usd
    from marts.fct_agent_days as days
    {_WORKSPACES}
    where line_type = 'agent' and date > workspaces.last_batch_date - {_WINDOW}
"""
# A version began with its first run; it is over three days after its last one.
_BEGUN = f"""
    select *
    from (
        select
            workspace_id,
            versions.agent_id,
            agent_version,
            lag(agent_version) over agent as previous_version,
            first_run_at,
            if(last_run_at < last_batch_at - interval 3 days, last_run_at, null) as until,
            {_recent("first_run_at", standing.RECENT_DAYS)} as is_recent
        from marts.dim_agent_versions as versions
        {_WORKSPACES}
        where first_run_at is not null
        window agent as (
            partition by workspace_id, versions.agent_id order by first_run_at, agent_version
        )
    )
    where is_recent and previous_version is not null
"""
_COMPARED = f"""
    with begun as ({_BEGUN}),

    compared as (
        select distinct
            workspace_id, agent_id, unnest([agent_version, previous_version]) as agent_version
        from begun
    )
"""
_VERSION_HOURS = f"""
    {_COMPARED}
    select
        runs.workspace_id,
        runs.agent_id,
        runs.agent_version,
        {_HOUR.format("created_at")} as hour,
        count(*) as finished_count,
        count(*) filter (status = 'failed') as failed_count,
        sum(cost_usd) filter (status = 'failed') as failed_cost_usd
    from marts.fct_runs as runs
    join compared
        on compared.workspace_id = runs.workspace_id
        and compared.agent_id = runs.agent_id
        and compared.agent_version = runs.agent_version
    join marts.dim_workspaces as workspaces on workspaces.workspace_id = runs.workspace_id
    where {_recent("created_at", 88)} and status in ('succeeded', 'failed')
    group by all
"""
_VERSION_COSTS = f"""
    {_COMPARED}
    select
        workspace_id,
        agent_id,
        agent_version,
        unnest(newest, recursive := true)
    from (
        select
            runs.workspace_id,
            runs.agent_id,
            runs.agent_version,
            max_by(
                {{
                    'utc_date': (created_at at time zone 'UTC')::date,
                    'cost': runs.cost_usd::double
                }},
                created_at,
                500
            ) as newest
        from marts.fct_runs as runs
        join compared
            on compared.workspace_id = runs.workspace_id
            and compared.agent_id = runs.agent_id
            and compared.agent_version = runs.agent_version
        join marts.dim_workspaces as workspaces on workspaces.workspace_id = runs.workspace_id
        where {_recent("created_at", 88)} and status = 'succeeded' and cost_usd is not null
        group by all
    )
"""
_SUMS = f"""
    count(*) filter ({{what}} and {_recent("created_at", 28)}) as run_count,
    count(*) filter ({_recent("created_at", 28)}) as of_count,
    count(*) filter ({{what}} and not {_recent("created_at", 28)}) as earlier_count,
    sum(cost_usd) filter ({{what}} and {_recent("created_at", 28)}) as cost_usd,
    min(created_at) filter ({{what}} and {_recent("created_at", 28)}) as first_at
"""
_IDLE = f"""
    with

    quiet as (
        select workspace_id, run_id
        from marts.fct_runs as runs
        {_WORKSPACES}
        where status = 'succeeded' and {_recent("created_at", 56)}
            and artifact_count = 0 and tokens_out <= 100
    ),

    idle as (
        select distinct workspace_id, run_id
        from quiet
        join marts.fct_log_events using (workspace_id, run_id)
        anti join marts.fct_tool_calls using (workspace_id, run_id)
    )

    select
        workspace_id,
        runs.agent_id,
        trigger_type as subject,
        null::varchar as detail,
        {_SUMS.format(what="idle.run_id is not null")}
    from marts.fct_runs as runs
    left join idle using (workspace_id, run_id)
    {_WORKSPACES}
    where status = 'succeeded' and {_recent("created_at", 56)}
    group by all
"""
# A run in which a tool is called once more after three errors of it in a row.
_REPEATED = f"""
    with

    calls as (
        select workspace_id, run_id, tool_name, call_number, coalesce(is_error, false) as is_error
        from marts.fct_tool_calls
        {_WORKSPACES}
        where {_recent("called_at", 56)}
    ),

    streaks as (
        select
            *,
            count(*) filter (not is_error) over (
                partition by workspace_id, run_id, tool_name order by call_number
            ) as streak
        from calls
        semi join (
            select workspace_id, run_id, tool_name
            from calls
            where is_error
            group by all
            having count(*) >= 3
        ) as failing using (workspace_id, run_id, tool_name)
    ),

    repeated as (
        select distinct workspace_id, run_id, tool_name
        from (
            select workspace_id, run_id, tool_name
            from streaks
            where is_error
            group by workspace_id, run_id, tool_name, streak
            having count(*) >= 3
        )
    ),

    used as (
        select distinct workspace_id, run_id, tool_name
        from calls
        semi join repeated using (workspace_id, tool_name)
    ),

    ended as (
        select runs.*
        from marts.fct_runs as runs
        {_WORKSPACES}
        where status in ('succeeded', 'failed') and {_recent("created_at", 56)}
    )

    select
        workspace_id,
        ended.agent_id,
        used.tool_name as subject,
        'tool' as detail,
        {_SUMS.format(what="repeated.run_id is not null")}
    from used
    join ended using (workspace_id, run_id)
    left join repeated using (workspace_id, run_id, tool_name)
    {_WORKSPACES}
    group by all
    union all by name
    select
        workspace_id,
        ended.agent_id,
        limits.subject,
        'limit' as detail,
        {_SUMS.format(what="coalesce(error_class = limits.subject, false)")}
    from ended
    cross join (select unnest(['budget_limit', 'time_limit', 'step_limit']) as subject) as limits
    {_WORKSPACES}
    group by all
"""

FOUND = polars_model(
    "intermediate.int_findings",
    header=Header(
        "Findings, without their words: see fct_findings. Grain: finding and its beginning.",
        key=("kind", "workspace_id", "agent_id", "subject", "detail", "since"),
    ),
    inputs={
        "workspaces": "select workspace_id, last_batch_at from marts.dim_workspaces"
        " where last_batch_at is not null",
        "agents": _AGENTS,
        "hours": _HOURS,
        "runs": _RUNS,
        "tools": _TOOLS,
        "tool_errors": _TOOL_ERRORS,
        "days": _DAYS,
        "versions": _BEGUN,
        "version_hours": _VERSION_HOURS,
        "version_costs": _VERSION_COSTS,
        "intervals": "select workspace_id, agent_id, collection_interval_seconds"
        " from audit.list_coverage",
        "idle": _IDLE,
        "repeated": _REPEATED,
    },
    compute=lambda *frames: findings(*in_utc(*frames)),
)
