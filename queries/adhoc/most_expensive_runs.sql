-- Which 50 listed runs of the last 30 days cost most?
with

latest as (
    select max(date) as date
    from marts.fct_runs
)

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
where runs.date > (select date from latest) - 30
order by runs.cost_usd desc nulls last, runs.run_id
limit 50
