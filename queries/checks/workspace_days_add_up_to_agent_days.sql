-- Each workspace's day is the sum of its agents' days, to the last digit.
with

workspace_days as (
    unpivot marts.fct_workspace_days
    on columns('_count$|_usd$|^tokens_')::decimal(38, 10) into name measure value number
),

agent_days as (
    unpivot marts.fct_agent_days
    on columns('_count$|_usd$|^tokens_')::decimal(38, 10) into name measure value number
),

figures as (
    select workspace_id, date, measure, number as in_workspace_days
    from workspace_days
    union all by name
    select workspace_id, date, measure, number as in_agent_days
    from agent_days
)

select
    workspace_id,
    date,
    measure,
    coalesce(sum(in_workspace_days), 0) as in_workspace_days,
    coalesce(sum(in_agent_days), 0) as in_agent_days
from figures
group by workspace_id, date, measure
having coalesce(sum(figures.in_workspace_days), 0) <> coalesce(sum(figures.in_agent_days), 0)
order by workspace_id, date, measure
