-- What do runs cost that started others, alone and with all of them, in the last 28 complete days?
-- By the agent of the first run, of listed runs. What the started runs cost is theirs, too: the two
-- columns are never added up.
with

trees as (
    select
        runs.workspace_id,
        runs.root_run_id,
        count(*) - 1 as descendant_count,
        sum(runs.cost_usd) as tree_cost_usd
    from marts.fct_runs as runs
    group by runs.workspace_id, runs.root_run_id
    having descendant_count > 0
)

select
    roots.workspace_name,
    roots.agent_name,
    count(*) as tree_count,
    sum(trees.descendant_count)::bigint as descendant_count,
    sum(roots.cost_usd) as own_cost_usd,
    sum(trees.tree_cost_usd) as tree_cost_usd
from trees
join marts.fct_runs as roots
    on roots.workspace_id = trees.workspace_id and roots.run_id = trees.root_run_id
join marts.dim_workspaces as workspaces on workspaces.workspace_id = trees.workspace_id
where
    roots.date > workspaces.last_complete_date - 28
    and roots.date <= workspaces.last_complete_date
group by roots.workspace_id, roots.workspace_name, roots.agent_id, roots.agent_name
order by tree_cost_usd desc nulls last, tree_count desc
