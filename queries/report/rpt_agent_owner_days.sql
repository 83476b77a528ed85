-- The measures of a line's day with its owner on that day, of workspaces with owners.
-- Grain: workspace, line and date.
-- key: workspace_id, agent_id, date
select
    workspace_id,
    agent_id,
    owner,
    cost_center,
    date,
    run_count,
    failed_count,
    succeeded_count + failed_count as finished_count,
    run_count - coalesce(finished_count + cancelled_count + open_count, 0) as unknown_outcome_count,
    cost_usd
from marts.fct_agent_days
where workspace_id in (select workspace_id from intermediate.int_owner_spans)
order by workspace_id, agent_id, date
