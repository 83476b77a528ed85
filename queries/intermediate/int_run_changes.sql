-- Changes of the listed runs, by both days of a run's creation: see stg_run_changes.
-- Grain: version and load.
-- key: version_id, load_id
-- clustered: created_at
select
    version_id,
    workspace_id,
    coalesce(agent_id, '(none)') as line_id,
    created_at,
    (created_at at time zone getvariable('reporting_timezone'))::date as date,
    (created_at at time zone 'UTC')::date as utc_date,
    load_id,
    run_count,
    cost_usd
from staging.stg_run_changes
