-- On which of the last 90 complete days did an agent cost far more than usual, and why?
-- `cause` is more runs or more expensive ones; the comment of fct_unusual_days has the rule.
select
    days.date,
    workspaces.workspace_name,
    agents.agent_name,
    days.cost_usd,
    days.usual_cost_usd,
    days.excess_usd,
    days.cause,
    days.run_count,
    days.usual_runs,
    days.usd_per_run,
    days.usual_usd_per_run
from marts.fct_unusual_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_agents as agents using (workspace_id, agent_id)
where
    days.date > workspaces.last_complete_date - 90
    and days.date <= workspaces.last_complete_date
order by days.date desc, days.excess_usd desc, workspaces.workspace_name, agents.agent_name
