-- Changes of the figures of days, by the load that made them: each version of a record adds its
-- figures with its load, and is taken off with the load that replaced it. They are of listed runs,
-- under their reporting date (listed) and their UTC day (utc_listed), and of the API's counts and
-- roll-ups by agent, and roll-ups of the platform's agents. Grain: version, measure and load.
-- key: version_id, measure, load_id
with

versions as not materialized (
    select
        *,
        coalesce(agent_id, '(none)') as line_id,
        unnest([date, utc_date]) as day,
        unnest(['listed', 'utc_listed']) as measure,
        1 as run_count
    from staging.runs
    union all by name
    select *, agent_id as line_id, utc_date as day, 'counts' as measure
    from staging.run_counts
    where agent_id is not null
    union all by name
    select *, agent_id as line_id, utc_date as day, 'rollups' as measure
    from staging.agent_rollups
    where agent_id is not null
    union all by name
    select *, '(platform)' as line_id, utc_date as day, 'platform' as measure
    from staging.platform_rollups
)

select version_id, workspace_id, line_id, day as date, measure, run_count, cost_usd, load_id
from versions
union all
select
    version_id, workspace_id, line_id, day, measure, -run_count, -cost_usd, superseded_by_load_id
from versions
where superseded_by_load_id is not null
