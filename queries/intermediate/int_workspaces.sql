-- Workspaces that the warehouse holds, and those of which only the books tell: they were forgotten,
-- or what was landed of them is lost. These have no batch.
-- Grain: workspace.
-- key: workspace_id
-- materialized: table
select workspace_id, workspace_name, first_batch_at, last_batch_at
from staging.stg_workspaces
union all by name
select workspace_id, arg_max(workspace_name, usage_month) as workspace_name
from finance.closed_lines
anti join staging.stg_workspaces using (workspace_id)
group by workspace_id
