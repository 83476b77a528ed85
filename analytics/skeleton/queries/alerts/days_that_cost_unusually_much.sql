-- An agent's day cost far more than usual
-- key: workspace_id, agent_id, date
-- severity: warning
select
    days.workspace_id,
    days.agent_id,
    agents.agent_name,
    days.date,
    days.cost_usd,
    days.usual_cost_usd,
    days.cause
from marts.fct_unusual_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_agents as agents using (workspace_id, agent_id)
where days.date between workspaces.last_complete_date - 2 and workspaces.last_complete_date
order by days.excess_usd desc, days.workspace_id, days.agent_id, days.date
