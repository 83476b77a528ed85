-- Changes of the figures of days, by the load that made them: each version of a run or of one of
-- the API's sums adds its figures with its load, and is taken off with the load that replaced it.
-- A run stands under its reporting date as listed, and under its UTC day as utc_listed; sums are
-- counts and roll-ups by agent, and those of the platform's agents.
-- Grain: version, measure and load.
-- key: version_id, measure, load_id
with

sums as (
    select *, 'counts' as measure, null::decimal(18, 10) as cost_usd
    from staging.run_counts
    where agent_id is not null
    union all by name
    select *, 'rollups' as measure
    from staging.agent_rollups
    where agent_id is not null
    union all by name
    select *, 'platform' as measure, '(platform)' as agent_id
    from staging.platform_rollups
),

versions as not materialized (
    select
        version_id, workspace_id, coalesce(agent_id, '(none)') as line_id,
        unnest([date, utc_date]) as date, unnest(['listed', 'utc_listed']) as measure,
        1 as run_count, cost_usd, load_id, superseded_by_load_id
    from staging.runs
    union all
    select
        version_id, workspace_id, agent_id, utc_date, measure, run_count, cost_usd, load_id,
        superseded_by_load_id
    from sums
)

select version_id, workspace_id, line_id, date, measure, run_count, cost_usd, load_id
from versions
union all
select
    version_id, workspace_id, line_id, date, measure, -run_count, -cost_usd, superseded_by_load_id
from versions
where superseded_by_load_id is not null
