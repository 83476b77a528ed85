-- Names by which files of finance name one workspace, in lower case: its identifier, and its name
-- unless several have it.
-- Grain: name.
-- key: name
select lower(workspace_id) as name, workspace_id
from intermediate.int_workspaces
union
select lower(workspace_name) as name, any_value(workspace_id) as workspace_id
from intermediate.int_workspaces
group by all
having count(*) = 1
