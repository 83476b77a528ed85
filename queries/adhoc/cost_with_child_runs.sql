-- Which 50 runs up to the last complete day cost most, together with all runs that they started?
-- Of listed runs; those that a started run started count, too.
with

families as (
    select
        runs.workspace_id,
        workspaces.workspace_name,
        runs.root_run_id,
        count(*) - 1 as descendant_count,
        sum(runs.cost_usd) as family_cost_usd
    from marts.fct_runs as runs
    join marts.dim_workspaces as workspaces using (workspace_id)
    where runs.date <= workspaces.last_complete_date
    group by runs.workspace_id, workspaces.workspace_name, runs.root_run_id
    having descendant_count > 0
)

select
    families.workspace_name,
    roots.agent_name,
    families.root_run_id,
    roots.created_at,
    families.descendant_count,
    roots.cost_usd as own_cost_usd,
    families.family_cost_usd
from families
join marts.fct_runs as roots
    on roots.workspace_id = families.workspace_id and roots.run_id = families.root_run_id
order by families.family_cost_usd desc nulls last, families.root_run_id
limit 50
