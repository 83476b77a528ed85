-- Names in the files of `finance/` that mean no workspace, agent, run, session or cost center, seen
-- or booked: the file, the line or rule, what kind the name is of, the workspace of an agent, and
-- what tells those apart that have the name, if there are several.
-- A line that is the same as one above it has no kind: a budget or an invoice by two names of its
-- workspace or agent counts once. A pattern without a letter has no name to misspell.
with

owner_rules as (
    select
        rules.*,
        count(distinct names.workspace_id) as workspace_count,
        any_value(names.workspace_id) as workspace_id
    from finance.owner_rules as rules
    left join intermediate.int_workspace_names as names
        on names.written = rules.workspace
        and names.is_glob = regexp_matches(rules.workspace, '[*?]')
        and not names.is_ambiguous
    where precedence not in (select unnest(precedences) from intermediate.int_owner_spans)
    group by all
),

-- Of a budget for an agent of one workspace, the workspace comes first.
budgets as (
    select
        budgets.*,
        scope <> 'all' and workspace_name is not null and names.workspace_id is null
            as lacks_workspace,
        names.workspace_id
    from (
        select *, if(scope = 'workspace', name, workspace) as workspace_name
        from finance.budgets
    ) as budgets
    left join intermediate.int_workspace_names as names
        on names.written = workspace_name and not names.is_glob and not names.is_ambiguous
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
        workspace,
        workspace_id,
        first(line) over (
            partition by invoice_id, month, coalesce(workspace_id, line::varchar) order by line
        ) as line_above
    from finance.invoices
    left join intermediate.int_workspace_names as names
        on names.written = workspace and not names.is_glob and not names.is_ambiguous
),

found as (
    select
        'finance/owners.csv' as file,
        format(':{}', line) as place,
        if(workspace_count > 0, 'agent', 'workspace') as kind,
        if(workspace_count > 0, agent, workspace) as name,
        if(workspace_count = 1, workspace_id, null) as workspace_id,
        null::integer as line_above
    from owner_rules
    union all by name
    select
        'finance/allocation.toml' as file,
        format(': rule {} ({})', rule, name) as place,
        'workspace' as kind,
        workspace as name
    from finance.allocation_rules
    where rule not in (select rule from intermediate.int_allocation_rules)
    union all by name
    select
        'finance/budgets.csv' as file,
        format(':{}', line) as place,
        if(lacks_workspace, 'workspace', scope) as kind,
        if(lacks_workspace, workspace_name, name) as name,
        workspace_id
    from budgets
    union all by name
    select
        'finance/budgets.csv' as file,
        format(':{}', unnest(lines[2:])) as place,
        lines[1] as line_above
    from intermediate.int_budgets
    union all by name
    select
        'finance/invoices.csv' as file,
        format(':{}', line) as place,
        if(workspace_id is null, 'workspace', null) as kind,
        workspace as name,
        line_above
    from invoices
    where workspace_id is null or line > line_above
    union all by name
    select
        'finance/outcomes.csv' as file,
        format(':{}', line) as place,
        unknown as kind,
        case unknown
            when 'workspace' then workspace
            when 'agent' then agent
            when 'run' then run
            else session
        end as name,
        workspace_id
    from intermediate.int_outcomes
    where unknown is not null
),

several as (
    select 'workspace' as kind, written, workspace_id, workspace_id as told_by
    from intermediate.int_workspace_names
    where is_ambiguous
    union all
    select 'agent' as kind, written, workspace_id, slug
    from intermediate.int_agent_names
    where is_ambiguous
)

select
    file,
    place,
    kind,
    name,
    workspace_id,
    line_above,
    (
        select list(distinct told_by order by told_by)
        from several
        where
            several.kind = found.kind
            and several.written = found.name
            and several.workspace_id = coalesce(found.workspace_id, several.workspace_id)
    ) as told_by
from found
where kind is null or name = '' or trim(name, '*?') <> ''
order by file, length(place), place
