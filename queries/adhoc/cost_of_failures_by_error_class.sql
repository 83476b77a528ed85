-- What did failed runs cost in the last 28 complete days, by the reason that they failed?
-- Of listed runs: why an unlisted one failed is unknown.
select
    runs.error_class,
    count(*) as listed_failed_count,
    count(distinct runs.agent_id) as agent_count,
    sum(runs.cost_usd) as failed_cost_usd,
    max(runs.created_at) as latest_at,
    arg_max(runs.error_message, runs.created_at) as latest_message
from marts.fct_runs as runs
join marts.dim_workspaces as workspaces using (workspace_id)
where
    runs.status = 'failed'
    and runs.date > workspaces.last_complete_date - 28
    and runs.date <= workspaces.last_complete_date
group by runs.error_class
order by failed_cost_usd desc nulls last
