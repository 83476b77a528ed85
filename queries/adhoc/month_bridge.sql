-- Why is the bill of a month higher or lower than that of the month before?
-- One line for each workspace and month: start_usd and the effects add up to end_usd. For one agent
-- or model, add a condition on agent_id or model, or group by it.
select
    workspaces.workspace_name,
    bridge.month,
    sum(bridge.start_usd) as start_usd,
    sum(columns('^(.*)_effect_usd$')) as '\1_usd',
    sum(bridge.end_usd) as end_usd
from marts.fct_month_bridge as bridge
join marts.dim_workspaces as workspaces using (workspace_id)
group by bridge.workspace_id, workspaces.workspace_name, bridge.month
order by workspaces.workspace_name, bridge.month desc
