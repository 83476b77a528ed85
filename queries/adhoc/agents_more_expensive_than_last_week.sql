-- Which agents cost more in the last 7 complete days than before, by more runs or costlier ones?
-- The 7 days before are compared, where both weeks were read and the cost of most runs is known.
-- Of all runs; the platform's own activity is a line of its own. Costs of a run are null where that
-- of some is unknown.
select
    workspaces.workspace_name,
    agents.agent_name,
    movers.previous_cost_usd as last_week_usd,
    movers.current_cost_usd as this_week_usd,
    movers.change_usd,
    movers.previous_run_count as last_week_runs,
    movers.current_run_count as this_week_runs,
    if(
        previous_unknown_cost_count > 0,
        null,
        round(last_week_usd / nullif(last_week_runs, 0), 4)
    )::decimal(18, 4) as last_week_usd_per_run,
    if(
        current_unknown_cost_count > 0,
        null,
        round(this_week_usd / nullif(this_week_runs, 0), 4)
    )::decimal(18, 4) as this_week_usd_per_run
from reports.rpt_movers as movers
join marts.dim_workspaces as workspaces using (workspace_id)
join marts.dim_agents as agents using (workspace_id, agent_id)
where movers.change_usd > 0
order by movers.change_usd desc
