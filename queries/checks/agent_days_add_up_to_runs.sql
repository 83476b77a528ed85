-- The measures of each agent-day are those of its runs, to the last digit.
with

summed as (
    select
        workspace_id,
        agent_id,
        date,
        count(*) as run_count,
        count(*) filter (status = 'succeeded') as succeeded_count,
        count(*) filter (status = 'failed') as failed_count,
        count(*) filter (status = 'cancelled') as cancelled_count,
        count(*) filter (not is_terminal) as open_count,
        count(*) filter (has_no_usage) as no_usage_count,
        count(*) filter (cost_usd is null) as unknown_cost_count,
        sum(cost_usd) as cost_usd,
        sum(if(status = 'failed', cost_usd, 0)) as failed_cost_usd,
        sum(tokens_in) as tokens_in,
        sum(tokens_out) as tokens_out
    from marts.fct_runs
    group by workspace_id, agent_id, date
),

runs as (
    unpivot summed
    on columns('_count$|_usd$|^tokens_')::decimal(38, 10) into name measure value number
),

days as (
    unpivot marts.fct_agent_days
    on columns('_count$|_usd$|^tokens_')::decimal(38, 10) into name measure value number
),

figures as (
    select workspace_id, agent_id, date, measure, number as in_agent_days
    from days
    union all by name
    select workspace_id, agent_id, date, measure, number as in_runs
    from runs
)

select
    workspace_id,
    agent_id,
    date,
    measure,
    coalesce(sum(in_agent_days), 0) as in_agent_days,
    coalesce(sum(in_runs), 0) as in_runs
from figures
group by workspace_id, agent_id, date, measure
having coalesce(sum(figures.in_agent_days), 0) <> coalesce(sum(figures.in_runs), 0)
order by workspace_id, date, agent_id, measure
