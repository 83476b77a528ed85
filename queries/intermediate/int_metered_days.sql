-- The UTC days from the first one whose metered usage was read to that of the last batch.
-- Grain: UTC day.
-- key: workspace_id, utc_date
-- materialized: table
with

spans as (
    select
        workspaces.workspace_id,
        min(requests.window_start) as first_date,
        max(workspaces.last_batch_at)::date as last_date
    from staging.stg_requests as requests
    join staging.stg_workspaces as workspaces using (workspace_id)
    where requests.source = 'usage_hours' and requests.status = 200
    group by workspaces.workspace_id
)

select
    workspace_id,
    unnest(generate_series(first_date, last_date, interval 1 day))::date as utc_date,
    first_date,
    last_date
from spans
