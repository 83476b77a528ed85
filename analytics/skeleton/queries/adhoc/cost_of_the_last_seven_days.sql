-- What did each agent cost in the last seven complete days?
select
    workspaces.workspace_name,
    days.agent_name,
    sum(days.run_count) as run_count,
    sum(days.cost_usd) as cost_usd
from marts.fct_agent_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
where
    days.date > workspaces.last_complete_date - 7
    and days.date <= workspaces.last_complete_date
group by all
order by cost_usd desc, workspaces.workspace_name, days.agent_name
