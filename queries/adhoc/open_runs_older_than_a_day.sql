-- Which runs have been open for more than a day before the newest run?
with

latest as (
    select max(created_at) as created_at
    from marts.fct_runs
)

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
    and runs.created_at < (select created_at from latest) - interval 1 day
order by runs.created_at
