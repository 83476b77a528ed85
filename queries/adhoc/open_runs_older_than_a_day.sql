-- Which runs had been open for more than a day when the last batch read them?
select
    workspaces.workspace_name,
    runs.agent_name,
    runs.run_id,
    runs.status,
    runs.created_at,
    runs.started_at,
    runs.cost_usd as cost_so_far_usd,
    runs.last_changed_at
from marts.fct_runs as runs
join marts.dim_workspaces as workspaces using (workspace_id)
where
    not runs.is_terminal
    and runs.created_at < workspaces.last_batch_at - interval 1 day
order by runs.created_at
