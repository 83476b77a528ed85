-- Which 50 conversations cost most over all their runs?
select
    workspaces.workspace_name,
    runs.session_id,
    arg_max(runs.agent_name, runs.created_at) as agent_name,
    count(*) as run_count,
    count(*) filter (runs.status = 'failed') as failed_count,
    sum(runs.cost_usd) as cost_usd,
    min(runs.created_at) as first_run_at,
    max(runs.created_at) as last_run_at
from marts.fct_runs as runs
join marts.dim_workspaces as workspaces using (workspace_id)
where runs.session_id is not null
group by runs.workspace_id, workspaces.workspace_name, runs.session_id
order by cost_usd desc nulls last, runs.session_id
limit 50
