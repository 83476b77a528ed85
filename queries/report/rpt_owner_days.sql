-- The measures of an owner's day, each of which may be summed over days, owners and workspaces: all
-- workspaces, if an agent of any has an owner; else no row.
-- Grain: workspace, owner, cost center and date.
-- key: workspace_id, owner, cost_center, date
select
    workspace_id,
    owner,
    cost_center,
    date,
    run_count,
    failed_count,
    succeeded_count + failed_count as finished_count,
    run_count - coalesce(finished_count + cancelled_count + open_count, 0) as unknown_outcome_count,
    unknown_cost_count,
    cost_usd
from marts.fct_owner_days
where exists (from intermediate.int_owner_spans)
order by workspace_id, owner, cost_center, date
