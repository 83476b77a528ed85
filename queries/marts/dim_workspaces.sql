-- Workspaces. Grain: workspace.
-- key: workspace_id
with

complete as (
    select workspace_id, max(date) as last_complete_date
    from intermediate.int_dates
    where is_complete
    group by workspace_id
)

select
    workspace_id,
    workspace_name,
    getvariable('reporting_timezone') as reporting_timezone,
    first_batch_at,
    last_batch_at,
    complete.last_complete_date
from staging.stg_workspaces
left join complete using (workspace_id)
order by workspace_id
