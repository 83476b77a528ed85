-- The bridge of a month by agent and model: start and effects add up to the end in every row.
select
    strftime(month, '%Y-%m') as month,
    workspace_name,
    agent_name,
    provider,
    model,
    start_usd,
    bridge.* exclude (month, workspace_id, agent_id, provider, model, start_usd, end_usd),
    end_usd,
    workspace_id,
    agent_id
from marts.fct_month_bridge as bridge
join marts.dim_workspaces using (workspace_id)
left join marts.dim_agents using (workspace_id, agent_id)
where month = $month::date and list_contains($workspace_ids, workspace_id)
order by workspace_name, workspace_id, end_usd desc, agent_name, agent_id, provider, model
