-- Which workspaces each rule of finance/allocation.toml matches, and in which months. Of the rules
-- for a source that match a workspace in a month, the one of the lowest precedence counts: a name
-- before a glob, the longer glob before the shorter, `*` last, then the upper one.
-- Grain: workspace and rule.
-- key: workspace_id, rule
with

rules as (
    select
        *,
        regexp_replace(workspace, '[*?]', '', 'g') as literals,
        finance.pattern_of(finance.folded(workspace)) as pattern
    from finance.allocation_rules
)

select
    workspaces.workspace_id,
    rules.rule,
    rules.name,
    rules.source,
    rules.method,
    rules.basis,
    coalesce(rules.valid_from, date '0001-01-01') as first_month,
    coalesce(rules.valid_to, date '9999-12-31') as last_month,
    row_number() over (
        partition by workspaces.workspace_id
        order by
            case
                when rules.literals = rules.workspace then 0
                when trim(rules.workspace, '*') = '' then 2
                else 1
            end,
            if(rules.literals = rules.workspace, 0, length(rules.literals)) desc,
            rules.rule
    ) as precedence
from rules
join marts.dim_workspaces as workspaces
    on finance.folded(workspaces.workspace_id) like rules.pattern escape '\'
    or finance.folded(workspaces.workspace_name) like rules.pattern escape '\'
