-- Days of agents of the last 57 days, listed runs or not; `is_whole` ones are complete.
select
    workspace_id,
    days.agent_id,
    date,
    run_count,
    unlisted_failed_count,
    cost_usd,
    failed_cost_high_usd - failed_cost_usd as failed_spread_usd,
    date <= last_complete_date as is_whole
from marts.fct_agent_days as days
join marts.dim_workspaces using (workspace_id)
where line_type = 'agent' and date > last_batch_date - 57
