-- The first run of the chain that started each child run: its own id where the parent is unknown,
-- and where the chain of parents is longer than 100 runs or leads in a circle. Grain: child run.
-- key: workspace_id, run_id
-- materialized: table
with recursive

children as (
    select children.workspace_id, children.run_id, children.parent_run_id
    from staging.runs as children
    join staging.runs as parents
        on
            parents.workspace_id = children.workspace_id
            and parents.run_id = children.parent_run_id
    where
        children.is_current
        and parents.is_current
        and children.parent_run_id is not null  -- no block of other runs is read
        and children.parent_run_id <> children.run_id
),

chains as (
    select workspace_id, run_id, parent_run_id as root_run_id, 1 as depth
    from children
    union all
    select chains.workspace_id, chains.run_id, children.parent_run_id, chains.depth + 1
    from chains
    join children
        on
            children.workspace_id = chains.workspace_id
            and children.run_id = chains.root_run_id
    where chains.depth < 100
)

select
    workspace_id,
    run_id,
    if(max(depth) = 100, run_id, arg_max(root_run_id, depth)) as root_run_id
from chains
group by workspace_id, run_id
