-- What we hold of an agent's UTC day beside what the API says of it, each from its own source.
-- An agent of null stands for runs without one, and for platform and unattributed usage.
-- Grain: UTC day and agent.
-- key: workspace_id, agent_id, date
-- materialized: table
with

held as (
    select
        runs.workspace_id,
        runs.agent_id,
        (runs.created_at at time zone 'UTC')::date as date,
        count(*) as held_run_count,
        count(*) filter (not runs.is_terminal or provisional.run_id is not null)
            as provisional_count,
        sum(runs.cost_usd) filter (runs.is_terminal) as run_cost_usd,
        sum(runs.cost_usd) filter (not runs.is_terminal) as open_cost_usd
    from intermediate.int_runs as runs
    left join staging.stg_provisional_runs as provisional using (workspace_id, run_id)
    group by all
),

counted as (
    select workspace_id, agent_id, date, sum(run_count)::bigint as counted_run_count
    from staging.stg_run_counts
    group by all
),

summed as (
    select
        workspace_id,
        agent_id,
        date,
        sum(cost_usd) as summed_cost_usd,
        count(*) as summed_row_count
    from staging.stg_agent_rollups
    group by all
),

metered as (
    select
        workspace_id,
        agent_id,
        (hour at time zone 'UTC')::date as date,
        sum(cost_usd) as metered_cost_usd,
        count(*) as metered_row_count
    from staging.stg_usage_hours
    group by all
),

figures as (
    from held
    union all by name
    from counted
    union all by name
    from summed
    union all by name
    from metered
),

agent_days as (
    select
        workspace_id,
        agent_id,
        date,
        coalesce(max(held_run_count), 0) as held_run_count,
        coalesce(max(provisional_count), 0) as provisional_count,
        max(counted_run_count) as counted_run_count,
        coalesce(max(run_cost_usd), 0) as run_cost_usd,
        coalesce(max(open_cost_usd), 0) as open_cost_usd,
        max(summed_cost_usd) as summed_cost_usd,
        coalesce(max(metered_cost_usd), 0) as metered_cost_usd,
        coalesce(max(held_run_count), 0)
        + coalesce(max(summed_row_count), 0)
        + coalesce(max(metered_row_count), 0) as row_count
    from figures
    group by workspace_id, agent_id, date
)

select
    days.workspace_id,
    days.agent_id,
    days.date,
    days.held_run_count,
    days.provisional_count,
    if(
        days.date >= spans.first_date and days.date < spans.end_date,
        coalesce(days.counted_run_count, 0),
        days.counted_run_count
    ) as counted_run_count,
    days.run_cost_usd,
    days.open_cost_usd,
    days.summed_cost_usd,
    days.metered_cost_usd,
    days.row_count * 0.00000000005 as tolerance_usd,
    days.date < metered_days.last_date as has_ended
from agent_days as days
join intermediate.int_metered_days as metered_days using (workspace_id, date)
left join intermediate.int_counted_spans as spans using (workspace_id, agent_id)
