-- What did each agent cost in the last 30 complete days, and how much of it failed?
-- `complete_cost_usd` is the whole: listed runs, and those that the API lists no more. What failed,
-- and tokens, are known of listed runs alone.
select
    workspaces.workspace_name,
    days.agent_name,
    sum(days.complete_cost_usd) as complete_cost_usd,
    sum(days.cost_usd) as listed_cost_usd,
    sum(days.gap_cost_usd) as gap_cost_usd,
    sum(days.failed_cost_usd) as failed_cost_usd,
    sum(days.run_count)::bigint as listed_run_count,
    sum(days.missing_run_count)::bigint as missing_run_count,
    sum(days.unknown_cost_count)::bigint as unknown_cost_count,
    sum(days.unknown_gap_count)::bigint as unknown_gap_count,
    sum(days.tokens_in)::bigint as tokens_in,
    sum(days.tokens_out)::bigint as tokens_out
from marts.fct_agent_days_complete as days
join marts.dim_workspaces as workspaces using (workspace_id)
where
    days.date > workspaces.last_complete_date - 30
    and days.date <= workspaces.last_complete_date
group by days.workspace_id, workspaces.workspace_name, days.agent_id, days.agent_name
order by complete_cost_usd desc nulls last
