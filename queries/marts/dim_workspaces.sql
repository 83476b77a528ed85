-- Workspaces. Grain: workspace.
-- key: workspace_id
select workspace_id, workspace_name, first_night_at, last_night_at
from staging.stg_workspaces
order by workspace_id
