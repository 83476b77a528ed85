-- Whose charges each budget is for: workspaces, and of them agents or cost centers, '(all)' where
-- it is for all of them. A name that nothing has is a budget without members.
-- Grain: budget (scope, name and workspace as written), workspace, line and cost center.
-- key: scope, name, workspace, workspace_id, agent_id, cost_center
-- materialized: table
with

covered as (
    select budgets.*, workspaces.workspace_id, workspaces.workspace_name
    from (select distinct scope, name, workspace from staging.stg_budgets) as budgets
    join intermediate.int_workspaces as workspaces
        on budgets.workspace is null
        or lower(budgets.workspace) in (
            lower(workspaces.workspace_id), lower(workspaces.workspace_name)
        )
),

agents as (
    select workspace_id, agent_id, unnest([agent_id, agent_slug]) as name
    from intermediate.int_agents
    union
    select workspace_id, unnest(['(none)', '(platform)']) as agent_id, agent_id as name
    from intermediate.int_workspaces
),

cost_centers as (
    select cost_center
    from staging.stg_owner_rules
    union
    select '(none)' as cost_center
)

select scope, name, workspace, workspace_id, '(all)' as agent_id, '(all)' as cost_center
from covered
where
    scope = 'all'
    or (scope = 'workspace' and lower(name) in (lower(workspace_id), lower(workspace_name)))
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
