-- What did each agent cost in the last 30 days, and how much of it failed?
with

latest as (
    select max(date) as date
    from marts.fct_agent_days
)

select
    workspaces.workspace_name,
    days.agent_name,
    sum(days.run_count)::bigint as run_count,
    sum(days.cost_usd) as cost_usd,
    sum(days.failed_cost_usd) as failed_cost_usd,
    sum(days.unknown_cost_count)::bigint as unknown_cost_count,
    sum(days.tokens_in)::bigint as tokens_in,
    sum(days.tokens_out)::bigint as tokens_out
from marts.fct_agent_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
where days.date > (select date from latest) - 30
group by days.workspace_id, workspaces.workspace_name, days.agent_id, days.agent_name
order by cost_usd desc nulls last
