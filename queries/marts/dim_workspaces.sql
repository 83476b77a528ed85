-- Workspaces. Of one that was forgotten, its closed months alone are left: it has no batch.
-- Grain: workspace.
-- key: workspace_id
select
    workspace_id,
    workspace_name,
    getvariable('reporting_timezone') as reporting_timezone,
    first_batch_at,
    last_batch_at,
    (last_batch_at at time zone getvariable('reporting_timezone'))::date as last_batch_date,
    least(last_batch_date, (last_batch_at at time zone 'UTC')::date) - 1 as last_complete_date
from intermediate.int_workspaces
order by workspace_id
