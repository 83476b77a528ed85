-- Days of agents of the last 57 days, listed runs or not; `is_whole` ones are complete.
select
    workspace_id,
    days.agent_id,
    date,
    run_count,
    unlisted_failed_count,
    unlisted_succeeded_count,
    cost_usd,
    failed_cost_high_usd - failed_cost_usd as failed_spread_usd,
    date <= last_complete_date as is_whole
from marts.fct_agent_days as days
join marts.dim_workspaces using (workspace_id)
left join (
    select workspace_id, agent_id, utc_date as date, unlisted_succeeded_count
    from intermediate.int_agent_utc_days
) as utc_days using (workspace_id, agent_id, date)
where line_type = 'agent' and date > last_batch_date - 57
