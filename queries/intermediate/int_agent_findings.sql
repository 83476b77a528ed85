-- Agents that began within 28 days, those that ran every day or workday and stopped, and those that
-- start more runs than lists show. A new agent with unlisted runs is one finding: that of its runs,
-- since it is new; its value is what the agent has cost, its sample_count all its runs.
-- Grain: kind and agent.
-- key: kind, workspace_id, agent_id
-- materialized: table
with

-- Before `began`, the first day that was read whole, a list begins where it is full. No batch could
-- list all that started before the workspace's first one.
agents as (
    select
        workspace_id,
        agents.agent_id,
        is_listed and status not in ('paused', 'archived') as is_on,
        last_batch_date,
        last_complete_date as last_date,
        (first_batch_at at time zone 'UTC')::date as first_batch_date,
        min(date) filter (run_count > 0) as first_date,
        max(date) filter (run_count > 0) as stopped,
        min(min(date) filter (is_complete)) over (partition by workspace_id) as began
    from marts.dim_agents as agents
    join marts.dim_workspaces using (workspace_id)
    left join marts.fct_agent_days using (workspace_id, agent_id)
    where agents.line_type = 'agent' and last_complete_date is not null
    group by
        workspace_id, agents.agent_id, is_listed, status, last_batch_date, last_complete_date,
        first_batch_at
),

days as (
    select
        agents.*,
        date,
        run_count,
        unlisted_run_count,
        cost_usd,
        run_count > 0 and date > stopped - 28 and date <= stopped as is_before_stop
    from agents
    join marts.fct_agent_days using (workspace_id, agent_id)
    where date > last_batch_date - 57
),

sums as (
    select
        agents.*,
        sum(run_count)::bigint as run_count,
        sum(cost_usd) as cost_usd,
        count(*) filter (is_before_stop) >= 27 as is_daily,
        -- All but one: a holiday. Agents of workdays are silent after five: two are holidays.
        count(*) filter (is_before_stop and isodow(date) <= 5) >= 19 as is_of_workdays,
        avg(days.run_count) filter (is_before_stop) as runs_a_day
    from agents
    join days using (workspace_id, agent_id)
    group by all
),

new_agents as (
    select workspace_id, agent_id, first_date, run_count, cost_usd::double as cost_usd
    from sums
    where first_date > last_date - 28 and first_date > began + 28 and cost_usd >= 1
),

-- Of the first batch, by what an agent starts on most days of a week.
too_many as (
    select
        workspace_id,
        agent_id,
        min(date) as since,
        max(run_count)::double as value,
        200::double as baseline,
        'runs_per_day' as unit,
        count(*) as sample_count,
        false as is_chronic
    from days
    where last_date <= first_batch_date and date > last_date - 7 and run_count > 200
    group by all
    having count(*) >= 3
),

-- Since the first of the newest days with unlisted runs that are at most a week apart.
since as (
    select workspace_id, agent_id, min(date) as since
    from (
        select *, count(*) filter (apart > 7) over (
            partition by workspace_id, agent_id order by date desc
        ) as gap_count
        from (
            select *, lag(date) over (
                partition by workspace_id, agent_id order by date desc
            ) - date as apart
            from days
            where unlisted_run_count > 0 and date > first_batch_date
        )
    )
    where gap_count = 0
    group by all
    having max(date) > any_value(last_date) - 7
),

unlisted as (
    from too_many
    union all by name
    select
        workspace_id,
        agent_id,
        since,
        sum(unlisted_run_count) / sum(run_count) as value,
        'share' as unit,
        sum(run_count)::bigint as sample_count,
        sum(unlisted_run_count)::bigint as run_count,
        since <= last_date - 28 as is_chronic
    from days
    join since using (workspace_id, agent_id)
    where date >= since
    group by workspace_id, agent_id, since, last_date
),

found as (
    select
        'new_agent' as kind,
        workspace_id,
        agent_id,
        first_date as since,
        cost_usd as value,
        'usd' as unit,
        run_count,
        false as is_chronic
    from new_agents
    anti join unlisted using (workspace_id, agent_id)
    union all by name
    select
        'silent_agent' as kind,
        workspace_id,
        agent_id,
        if(is_daily, 'day', 'workday') as detail,
        stopped + 1 as since,
        0 as value,
        runs_a_day as baseline,
        'runs_per_day' as unit,
        last_date - stopped as sample_count,
        false as is_chronic
    from sums
    where is_on and stopped > last_date - 28 and (
        is_daily and last_date - stopped >= 3
        or is_of_workdays and 5 <= len([
            day for day in generate_series(stopped + 1, last_date, interval 1 day)
            if isodow(day) <= 5
        ])
    )
    union all by name
    select
        'unlisted' as kind,
        workspace_id,
        unlisted.agent_id,
        -- As cron would be told.
        if(
            collection_interval_seconds >= 3600,
            concat(collection_interval_seconds // 3600, ' h'),
            concat(greatest(collection_interval_seconds // 60, 1), ' min')
        ) as detail,
        coalesce(first_date, since) as since,
        coalesce(cost_usd, value) as value,
        if(first_date is null, baseline, null) as baseline,
        if(first_date is null, unit, 'usd') as unit,
        if(first_date is null, sample_count, new_agents.run_count) as sample_count,
        unlisted.run_count,
        is_chronic
    from unlisted
    left join new_agents using (workspace_id, agent_id)
    left join audit.list_coverage using (workspace_id, agent_id)
)

select * replace (since::timestamp at time zone 'UTC' as since), agent_id as subject
from found
