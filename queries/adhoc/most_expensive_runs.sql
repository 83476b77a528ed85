-- Which 50 runs of the last 28 complete days cost most?
-- Of listed runs: the others have no row of their own.
select
    workspaces.workspace_name,
    runs.agent_name,
    runs.agent_version,
    runs.run_id,
    runs.created_at,
    runs.status,
    runs.error_class,
    runs.cost_usd,
    runs.tokens_in,
    runs.tokens_out,
    runs.duration_seconds
from marts.fct_runs as runs
join marts.dim_workspaces as workspaces using (workspace_id)
where
    runs.date > workspaces.last_complete_date - 28
    and runs.date <= workspaces.last_complete_date
order by runs.cost_usd desc nulls last, runs.run_id
limit 50
