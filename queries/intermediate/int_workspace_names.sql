-- Names by which files of finance/ name one workspace, as they are compared: its identifier, and
-- its name. Grain: name.
-- key: name
-- column workspace_id: Null where several workspaces are called so, and none has it as identifier.
select
    name,
    coalesce(
        any_value(workspace_id) filter (is_identifier),
        if(count(*) = 1, any_value(workspace_id), null)
    ) as workspace_id
from (
    select finance.folded(workspace_id) as name, workspace_id, true as is_identifier
    from marts.dim_workspaces
    union all
    select finance.folded(workspace_name) as name, workspace_id, false as is_identifier
    from marts.dim_workspaces
)
group by name
