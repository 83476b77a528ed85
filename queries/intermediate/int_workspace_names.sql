-- Names by which files of finance/ name workspaces, as they are compared: identifiers, then names.
-- An empty name means the only workspace. Grain: workspace and name.
-- key: workspace_id, name
-- not_null: is_meant
-- column is_meant: True if the name, written without a wildcard, means this workspace; of a name
-- that several workspaces have, and none as its identifier, false of each.
with

called as (
    select
        workspace_id,
        finance.folded(unnest([workspace_id, workspace_name])) as name,
        unnest([1, 2]) as rank
    from marts.dim_workspaces
    union all by name
    select workspace_id, '' as name, 1 as rank
    from marts.dim_workspaces
),

ranked as (
    select workspace_id, name, min(rank) as rank
    from called
    where name is not null
    group by all
)

select
    workspace_id,
    name,
    rank = min(rank) over (partition by name) and count(*) over (partition by name, rank) = 1
        as is_meant
from ranked
