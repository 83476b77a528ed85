-- Which workspaces each rule of finance/allocation.toml matches, and in which months. Of the rules
-- for a source that match a workspace in a month, the one of the lowest precedence counts: a name
-- before a glob, the longer glob before the shorter, `*` last, then the upper one.
-- Grain: workspace and rule.
-- key: workspace_id, rule
with

rules as (
    select *, regexp_replace(workspace, '[*?]', '', 'g') as literals
    from finance.allocation_rules
),

matching as (
    select names.workspace_id, rules.*
    from rules
    join intermediate.int_workspace_names as names on names.written = rules.workspace
    where names.is_glob = (rules.literals <> rules.workspace) and not names.is_ambiguous
)

select
    workspace_id,
    rule,
    name,
    source,
    method,
    basis,
    coalesce(valid_from, date '0001-01-01') as first_month,
    coalesce(valid_to, date '9999-12-31') as last_month,
    row_number() over (
        partition by workspace_id
        order by
            case
                when literals = workspace then 0
                when trim(workspace, '*') = '' then 2
                else 1
            end,
            if(literals = workspace, 0, length(literals)) desc,
            rule
    ) as precedence
from matching
