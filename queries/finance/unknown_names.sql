-- Names in the files of `finance/` that no workspace, agent or cost center, seen or booked, has:
-- the file, the line or rule, and of what kind the name is. A budget is of one workspace: a name
-- that several have is none of theirs. A pattern without a letter has no name to misspell.
with

workspaces as (
    select workspace_id, lower(unnest([workspace_id, workspace_name])) as name
    from marts.dim_workspaces
),

owner_rules as (
    select
        line,
        workspace,
        agent,
        exists (
            from workspaces
            where workspaces.name ilike finance.pattern_of(rules.workspace) escape '\'
        ) as has_workspace
    from finance.owner_rules as rules
    where precedence not in (select unnest(precedences) from intermediate.int_owner_spans)
),

allocation_rules as (
    select rule, name, workspace
    from finance.allocation_rules
    where rule not in (select rule from intermediate.int_allocation_rules)
),

-- Of a budget for an agent of one workspace, the workspace comes first.
budgets as (
    select
        line,
        lower(if(scope = 'workspace', name, workspace)) as workspace_name,
        case
            when workspace_name not in (select name from workspaces) then 'workspace'
            when
                (
                    select count(distinct workspace_id) from workspaces
                    where workspaces.name = workspace_name
                ) > 1
                then 'one workspace'
            when scope = 'agent' then 'agent'
            when scope = 'cost_center' then 'cost center'
        end as kind
    from finance.budgets
    where not exists (
        from intermediate.int_budget_members as members
        where
            members.scope = budgets.scope
            and members.name = budgets.name
            and members.workspace is not distinct from budgets.workspace
    )
)

select
    'finance/owners.csv' as file,
    format(':{}', line) as place,
    if(has_workspace, 'agent', 'workspace') as kind
from owner_rules
where trim(if(has_workspace, agent, workspace), '*?') <> ''
union all
select 'finance/allocation.toml', format(': rule {} ({})', rule, name), 'workspace'
from allocation_rules
where trim(workspace, '*?') <> ''
union all
select 'finance/budgets.csv', format(':{}', line), kind
from budgets
where kind is not null
order by file, length(place), place
