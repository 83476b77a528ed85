-- What did a run cost together with all runs that it started, and those in turn?
-- The 50 most expensive.
with recursive

family as (
    select workspace_id, run_id as root_run_id, run_id
    from marts.fct_runs
    where parent_run_id is null
    union
    select children.workspace_id, family.root_run_id, children.run_id
    from family
    join marts.fct_runs as children
        on children.workspace_id = family.workspace_id
        and children.parent_run_id = family.run_id
),

totals as (
    select
        family.workspace_id,
        family.root_run_id,
        count(*) - 1 as descendant_count,
        sum(runs.cost_usd) as family_cost_usd
    from family
    join marts.fct_runs as runs using (workspace_id, run_id)
    group by family.workspace_id, family.root_run_id
    having descendant_count > 0
)

select
    workspaces.workspace_name,
    roots.agent_name,
    totals.root_run_id,
    roots.created_at,
    totals.descendant_count,
    roots.cost_usd as own_cost_usd,
    totals.family_cost_usd
from totals
join marts.fct_runs as roots
    on roots.workspace_id = totals.workspace_id and roots.run_id = totals.root_run_id
join marts.dim_workspaces as workspaces on workspaces.workspace_id = totals.workspace_id
order by totals.family_cost_usd desc nulls last, totals.root_run_id
limit 50
