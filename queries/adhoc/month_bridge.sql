-- Why is the bill of a month higher or lower than that of the month before?
-- One line for each workspace and month: start_usd and the effects add up to end_usd. For one agent
-- or model, add a condition on agent_id or model, or group by it.
select
    workspaces.workspace_name,
    bridge.month,
    sum(bridge.start_usd) as start_usd,
    sum(bridge.adjustment_effect_usd) as adjustment_usd,
    sum(bridge.volume_effect_usd) as volume_usd,
    sum(bridge.agent_mix_effect_usd) as agent_mix_usd,
    sum(bridge.tokens_per_run_effect_usd) as tokens_per_run_usd,
    sum(bridge.model_mix_effect_usd) as model_mix_usd,
    sum(bridge.price_effect_usd) as price_usd,
    sum(bridge.failure_effect_usd) as failure_usd,
    sum(bridge.new_agent_effect_usd) as new_agent_usd,
    sum(bridge.retired_agent_effect_usd) as retired_agent_usd,
    sum(bridge.platform_effect_usd) as platform_usd,
    sum(bridge.surcharge_effect_usd) as surcharge_usd,
    sum(bridge.own_key_effect_usd) as own_key_usd,
    sum(bridge.end_usd) as end_usd
from marts.fct_month_bridge as bridge
join marts.dim_workspaces as workspaces using (workspace_id)
group by bridge.workspace_id, workspaces.workspace_name, bridge.month
order by workspaces.workspace_name, bridge.month desc
