-- The listed part of each agent's date is that of its runs, to the last digit.
-- narrow: date
with

runs as (
    select
        workspace_id,
        agent_id,
        date,
        count(*) as listed_run_count,
        sum(cost_usd)::decimal(38, 10) as listed_cost_usd,
        if(
            count(*) filter (status = 'failed') = 0,
            0,
            sum(cost_usd) filter (status = 'failed')
        )::decimal(38, 10) as failed_cost_usd,
        count(*) filter (has_no_usage) as no_usage_count
    from marts.fct_runs
    group by workspace_id, agent_id, date
),

days as (
    select
        workspace_id,
        agent_id,
        date,
        listed_run_count,
        listed_cost_usd,
        failed_cost_usd,
        no_usage_count
    from marts.fct_agent_days
    where listed_run_count > 0
),

differences as (
    (select 'fct_runs' as holds, * from (from runs except from days))
    union all
    (select 'fct_agent_days' as holds, * from (from days except from runs))
)

from differences
order by workspace_id, date, agent_id, holds
