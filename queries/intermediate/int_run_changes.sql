-- Changes of the figures of days by listed runs, by the load that made them: each version of a run
-- adds its figures with its load, and is taken off with the load that replaced it. A run stands
-- under its reporting date as listed, and under its UTC day as utc_listed. By run_id and created_at
-- a batch that brings days up to date skips a long past.
-- Grain: version, measure and load.
-- key: version_id, measure, load_id
with

versions as not materialized (
    select
        version_id, workspace_id, run_id, created_at, coalesce(agent_id, '(none)') as line_id,
        unnest([date, utc_date]) as date, unnest(['listed', 'utc_listed']) as measure,
        1 as run_count, cost_usd, load_id, superseded_by_load_id
    from staging.runs
)

select * exclude (superseded_by_load_id)
from versions
union all by name
select
    * exclude (superseded_by_load_id)
    replace (-run_count as run_count, -cost_usd as cost_usd, superseded_by_load_id as load_id)
from versions
where superseded_by_load_id is not null
