-- The measures of runs, defined here once, for each scope (agent, workspace) and period (day,
-- month).
-- Grain: workspace, scope, agent, period, first day of the period.
-- key: workspace_id, scope, agent_id, period, starts_on
-- materialized: table
with

runs as (
    select *, date_trunc('month', date)::date as month
    from intermediate.int_runs
)

select
    workspace_id,
    if(grouping(agent_id) = 0, 'agent', 'workspace') as scope,
    agent_id,
    if(grouping(date) = 0, 'day', 'month') as period,
    coalesce(date, month) as starts_on,
    count(*) as run_count,
    count(*) filter (status = 'succeeded') as succeeded_count,
    count(*) filter (status = 'failed') as failed_count,
    count(*) filter (status = 'cancelled') as cancelled_count,
    count(*) filter (not is_terminal) as open_count,
    count(*) filter (has_no_usage) as no_usage_count,
    count(*) filter (cost_usd is null) as unknown_cost_count,
    sum(cost_usd) as cost_usd,
    if(
        count(*) filter (status = 'failed') = 0,
        0,
        sum(cost_usd) filter (status = 'failed')
    ) as failed_cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out
from runs
group by grouping sets (
    (workspace_id, agent_id, date),
    (workspace_id, agent_id, month),
    (workspace_id, date),
    (workspace_id, month)
)
