-- Names in the files of `finance/` that no workspace, agent, run, session or cost center, seen or
-- booked, has: the file, the line or rule, and what is wrong. A budget, an invoice and an outcome
-- are of one workspace: a name that several have is none of theirs. A budget or an invoice by the
-- name of its workspace, and again by the identifier, counts once. A pattern without a letter has
-- no name to misspell.
with

workspaces as (
    select workspace_id, finance.folded(unnest([workspace_id, workspace_name])) as name
    from marts.dim_workspaces
),

owner_rules as (
    select
        line,
        workspace,
        agent,
        exists (
            from workspaces
            where workspaces.name
                like finance.pattern_of(finance.folded(rules.workspace)) escape '\'
        ) as has_workspace
    from finance.owner_rules as rules
    where precedence not in (select unnest(precedences) from intermediate.int_owner_spans)
),

-- Of a budget for an agent of one workspace, the workspace comes first.
budgets as (
    select
        line,
        case
            when names.workspace_id is not null or workspace_name is null
                then replace(scope, '_', ' ')
            when names.name is not null then 'one workspace'
            else 'workspace'
        end as kind
    from (
        select *, finance.folded(if(scope = 'workspace', name, workspace)) as workspace_name
        from finance.budgets
    ) as budgets
    left join intermediate.int_workspace_names as names on names.name = workspace_name
    where scope <> 'all' and not exists (
        from intermediate.int_budget_members as members
        where
            members.scope = budgets.scope
            and members.name = budgets.name
            and members.workspace is not distinct from budgets.workspace
    )
),

invoices as (
    select
        line,
        case
            when names.name is null then 'workspace'
            when workspace_id is null then 'one workspace'
        end as kind,
        first(line) over (
            partition by invoice_id, month, coalesce(workspace_id, line::varchar) order by line
        ) as line_above
    from finance.invoices
    left join intermediate.int_workspace_names as names on names.name = finance.folded(workspace)
),

found as (
    select
        'finance/owners.csv' as file,
        format(':{}', line) as place,
        if(has_workspace, 'agent', 'workspace') as kind,
        null::integer as line_above
    from owner_rules
    where trim(if(has_workspace, agent, workspace), '*?') <> ''
    union all
    select 'finance/allocation.toml', format(': rule {} ({})', rule, name), 'workspace', null
    from finance.allocation_rules
    where
        trim(workspace, '*?') <> ''
        and rule not in (select rule from intermediate.int_allocation_rules)
    union all
    select 'finance/budgets.csv', format(':{}', line), kind, null
    from budgets
    union all
    select 'finance/budgets.csv', format(':{}', unnest(lines[2:])), null, lines[1]
    from intermediate.int_budgets
    union all
    select 'finance/invoices.csv', format(':{}', line), kind, line_above
    from invoices
    where kind is not null or line > line_above
    union all
    select 'finance/outcomes.csv', format(':{}', line), unknown, null
    from intermediate.int_outcomes
    where unknown is not null
)

select
    file,
    place,
    case
        when kind is null and file = 'finance/budgets.csv'
            then format('line {} is a budget of the same for the same month', line_above)
        when kind is null
            then
                concat(
                    format('line {} has the same invoice, workspace and month; ', line_above),
                    'add up what belongs together'
                )
        when kind = 'one workspace'
            then 'several workspaces are called so; name one by its identifier'
        else format('no {} matches; is a name misspelt?', kind)
    end as problem
from found
order by file, length(place), place
