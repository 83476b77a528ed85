"""The inputs of findings: SELECTs of the last weeks, so that a long history costs no more."""

from __future__ import annotations

from analytics.transform.findings import standing, steps


def _recent(column: str, days: int) -> str:
    return f"{column} >= workspaces.last_batch_at - interval {days} days"


_WORKSPACES = "join marts.dim_workspaces as workspaces using (workspace_id)"
_WINDOW = steps.WINDOW + 1
_LONGEST_RUN = 30  # days, so that not all runs are read
_HOUR = "time_bucket(interval 1 hour, {})"  # of UTC, which date_trunc has only by way of a zone

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
            min(date) filter (is_complete) as began
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
        count(*) as call_count
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
        count(*) as error_count,
        count(distinct run_id) as met_count
    from marts.fct_tool_calls as calls
    join marts.fct_runs as runs using (workspace_id, run_id)
    {_WORKSPACES}
    where is_error and {_recent("called_at", _WINDOW)} and tool_name is not null
        and {_recent("runs.created_at", _WINDOW + _LONGEST_RUN)}
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
        unlisted_succeeded_count,
        cost_usd,
        failed_cost_high_usd - failed_cost_usd as failed_spread_usd
    from marts.fct_agent_days as days
    left join (
        select workspace_id, agent_id, utc_date as date, unlisted_succeeded_count
        from intermediate.int_agent_utc_days
    ) using (workspace_id, agent_id, date)
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
    with

    begun as ({_BEGUN}),

    compared as (
        select distinct
            workspace_id, agent_id, unnest([agent_version, previous_version]) as agent_version
        from begun
    ),

    compared_runs as (
        select runs.*
        from marts.fct_runs as runs
        semi join compared using (workspace_id, agent_id, agent_version)
        {_WORKSPACES}
        where {_recent("created_at", 88)}
    )
"""
_VERSION_HOURS = f"""
    {_COMPARED}
    select
        workspace_id,
        agent_id,
        agent_version,
        {_HOUR.format("created_at")} as hour,
        count(*) as finished_count,
        count(*) filter (status = 'failed') as failed_count,
        sum(cost_usd) filter (status = 'failed') as failed_cost_usd
    from compared_runs
    where status in ('succeeded', 'failed')
    group by all
"""
_VERSION_COSTS = f"""
    {_COMPARED}
    select workspace_id, agent_id, agent_version, unnest(newest, recursive := true)
    from (
        select
            workspace_id,
            agent_id,
            agent_version,
            max_by(
                {{
                    'utc_date': (created_at at time zone 'UTC')::date,
                    'cost': cost_usd::double
                }},
                created_at,
                500
            ) as newest
        from compared_runs
        where status = 'succeeded' and cost_usd is not null
        group by all
    )
"""
# Waste is of the 28 days that ended last, so that the page of an agent has the same runs.
_IN_WASTE = "runs.date between last_complete_date - 55 and last_complete_date"
_SUMS = """
    count(*) filter ({what} and is_recent) as run_count,
    count(*) filter (is_recent) as of_count,
    count(*) filter ({what} and not is_recent) as earlier_count,
    sum(cost_usd) filter ({what} and is_recent) as cost_usd,
    min(created_at) filter ({what} and is_recent) as first_at
"""
_IDLE = f"""
    with

    quiet as (
        select workspace_id, run_id
        from marts.fct_runs as runs
        {_WORKSPACES}
        where status = 'succeeded' and {_IN_WASTE}
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
    from (
        select runs.*, date > last_complete_date - {standing.RECENT_DAYS} as is_recent
        from marts.fct_runs as runs
        {_WORKSPACES}
        where status = 'succeeded' and {_IN_WASTE}
    ) as runs
    left join idle using (workspace_id, run_id)
    group by all
"""
# A run in which a tool is called once more after three errors of it in a row, or that ends at a
# limit. By version and hour, so that those can be left out of which another finding tells.
_REPEATED = f"""
    with

    calls as (
        select workspace_id, run_id, tool_name, call_number, coalesce(is_error, false) as is_error
        from marts.fct_tool_calls
        {_WORKSPACES}
        where {_recent("called_at", 58)}
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

    ended as (
        select
            runs.*,
            {_HOUR.format("created_at")} as hour,
            date > last_complete_date - {standing.RECENT_DAYS} as is_recent
        from marts.fct_runs as runs
        {_WORKSPACES}
        where status in ('succeeded', 'failed') and {_IN_WASTE}
    ),

    repeating as (
        select distinct workspace_id, agent_id, tool_name
        from repeated
        join ended using (workspace_id, run_id)
    ),

    limited as (
        select distinct workspace_id, agent_id, error_class
        from ended
        where error_class in ('budget_limit', 'time_limit', 'step_limit')
    )

    select
        workspace_id,
        ended.agent_id,
        tool_name as subject,
        'tool' as detail,
        agent_version,
        hour,
        {_SUMS.format(what="repeated.run_id is not null")}
    from repeating
    join ended using (workspace_id, agent_id)
    semi join calls using (workspace_id, run_id, tool_name)
    left join repeated using (workspace_id, run_id, tool_name)
    group by all
    union all by name
    select
        workspace_id,
        ended.agent_id,
        limited.error_class as subject,
        'limit' as detail,
        agent_version,
        hour,
        {_SUMS.format(what="ended.error_class = limited.error_class")}
    from limited
    join ended using (workspace_id, agent_id)
    group by all
"""

INPUTS = {
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
}
"""The SELECTs, by the name of the frame that the model gets; the order is that of its arguments."""
