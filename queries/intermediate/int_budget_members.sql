-- Whose charges each budget is for: workspaces, and of them agents or cost centers, '(all)' where
-- it is for all of them. A name that nothing has, or several workspaces, is a budget without
-- members.
-- Grain: budget (scope, name and workspace as written), workspace, line and cost center.
-- key: scope, name, workspace, workspace_id, agent_id, cost_center
-- materialized: table
with

-- Names by which a budget names one workspace, in lower case: its identifier, and its name unless
-- several have it.
names as (
    select lower(workspace_id) as name, workspace_id
    from marts.dim_workspaces
    union
    select lower(workspace_name) as name, any_value(workspace_id) as workspace_id
    from marts.dim_workspaces
    group by all
    having count(*) = 1
),

covered as (
    select budgets.*, workspaces.workspace_id
    from (
        select distinct
            scope,
            name,
            workspace,
            lower(if(scope = 'workspace', name, workspace)) as workspace_name
        from finance.budgets
    ) as budgets
    left join names on names.name = budgets.workspace_name
    join marts.dim_workspaces as workspaces
        on budgets.workspace_name is null
        or workspaces.workspace_id = names.workspace_id
),

agents as (
    select workspace_id, agent_id, unnest([agent_id, agent_slug]) as name
    from intermediate.int_agents
    union
    select workspace_id, unnest(['(none)', '(platform)']) as agent_id, agent_id as name
    from marts.dim_workspaces
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
select distinct
    covered.scope,
    covered.name,
    covered.workspace,
    covered.workspace_id,
    agents.agent_id,
    '(all)' as cost_center
from covered
join agents
    on agents.workspace_id = covered.workspace_id
    and lower(agents.name) = lower(covered.name)
where covered.scope = 'agent'
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
