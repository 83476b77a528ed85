-- Workspaces that the files of finance/ name: by identifier, else by a name that they have or had.
-- The exact spelling comes first, then one that differs in case or Unicode form. In owners and
-- allocation rules `*` and `?` stand for other characters. An empty name means the only workspace.
-- Grain: name as written, whether it is a glob, and workspace.
-- key: written, is_glob, workspace_id
-- not_null: is_glob, is_ambiguous
-- column is_ambiguous: True if several workspaces have the name: a line with it is refused.
with

written as (
    select distinct written, is_glob and regexp_matches(written, '[*?]') as is_glob
    from (
        select workspace as written, true as is_glob from finance.owner_rules
        union all
        select workspace, true from finance.allocation_rules
        union all
        select workspace, false from finance.invoices
        union all
        select workspace, false from finance.outcomes
        union all
        select if(scope = 'workspace', name, workspace), false from finance.budgets
    )
    where written is not null
),

called as (
    select
        workspace_id,
        unnest([workspace_id, workspace_name, '']) as name,
        unnest([1, 2, 3]) as rank
    from marts.dim_workspaces
    union
    select workspace_id, nfc_normalize(trim(workspace_name)) as name, 2 as rank
    from staging.workspaces
    semi join marts.dim_workspaces using (workspace_id)
    where workspace_name is not null
),

matching as (
    select written, is_glob, workspace_id, min((name <> written, rank)) as rank
    from written
    join called on finance.folded(name) = finance.folded(written)
    where not is_glob
    group by all
    union all
    select distinct written, is_glob, workspace_id, null as rank
    from written
    join called on finance.folded(name) like finance.pattern_of(finance.folded(written)) escape '\'
    where is_glob
)

select
    written,
    is_glob,
    workspace_id,
    not is_glob and count(*) over (partition by written, is_glob, rank) > 1 as is_ambiguous
from matching
qualify is_glob or rank = min(rank) over (partition by written, is_glob)
