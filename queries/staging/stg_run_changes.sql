-- Changes of the listed runs, by both days of a run's creation: each version of a run adds a run
-- and its cost with its load, and is taken off with the load that replaced it.
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
    1 as run_count,
    cost_usd,
    load_id
from raw.runs
union all
select
    versions.version_id,
    versions.workspace_id,
    coalesce(versions.agent_id, '(none)'),
    versions.created_at,
    (versions.created_at at time zone getvariable('reporting_timezone'))::date,
    (versions.created_at at time zone 'UTC')::date,
    -1,
    -versions.cost_usd,
    superseded.load_id
from raw.runs as versions
join raw.superseded as superseded using (version_id)
