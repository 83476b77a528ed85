-- Workspaces. Grain: workspace.
-- key: workspace_id
select
    workspace_id,
    workspace_name,
    getvariable('reporting_timezone') as reporting_timezone,
    first_night_at,
    last_night_at
from staging.stg_workspaces
order by workspace_id
