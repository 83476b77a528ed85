-- Whose charges each budget is for: workspaces, and of them agents or cost centers, '(all)' where
-- it is for all of them. A name that nothing has, or several workspaces or agents, is a budget
-- without members.
-- Grain: budget (scope, name and workspace as written), workspace, line and cost center.
-- key: scope, name, workspace, workspace_id, agent_id, cost_center
-- materialized: table
with

covered as (
    select budgets.*, workspaces.workspace_id
    from (
        select distinct
            scope,
            name,
            workspace,
            if(scope = 'workspace', name, workspace) as workspace_name
        from finance.budgets
    ) as budgets
    left join intermediate.int_workspace_names as names
        on names.written = budgets.workspace_name
        and not names.is_glob
        and not names.is_ambiguous
    join marts.dim_workspaces as workspaces
        on budgets.workspace_name is null
        or workspaces.workspace_id = names.workspace_id
),

cost_centers as (
    select cost_center
    from finance.owner_rules
    union
    select '(none)' as cost_center
)

select scope, name, workspace, workspace_id, '(all)' as agent_id, '(all)' as cost_center
from covered
where scope in ('all', 'workspace')
union all
select
    covered.scope,
    covered.name,
    covered.workspace,
    covered.workspace_id,
    agents.agent_id,
    '(all)' as cost_center
from covered
join intermediate.int_agent_names as agents
    on agents.workspace_id = covered.workspace_id
    and agents.written = covered.name
    and not agents.is_glob
where covered.scope = 'agent'
qualify not bool_or(is_ambiguous) over (partition by covered.name, covered.workspace)
union all
select
    covered.scope,
    covered.name,
    covered.workspace,
    covered.workspace_id,
    '(all)' as agent_id,
    cost_centers.cost_center
from covered
join cost_centers on cost_centers.cost_center = covered.name
where covered.scope = 'cost_center'
