-- The measures of an owner's day, each of which may be summed over days, owners and workspaces: all
-- workspaces, if an agent of any has an owner; else no row.
-- Grain: workspace, owner, cost center and date.
-- key: workspace_id, owner, cost_center, date
select
    workspace_id,
    owner,
    cost_center,
    date,
    sum(run_count)::bigint as run_count,
    sum(failed_count)::bigint as failed_count,
    sum(succeeded_count + failed_count)::bigint as finished_count,
    sum(run_count)::bigint
    - coalesce(sum(succeeded_count + failed_count + cancelled_count + open_count), 0)::bigint
        as unknown_outcome_count,
    sum(unknown_cost_count)::bigint as unknown_cost_count,
    sum(cost_usd) as cost_usd
from marts.fct_agent_days
where exists (from intermediate.int_owner_spans)
group by workspace_id, owner, cost_center, date
order by workspace_id, owner, cost_center, date
