-- Changes of the API's sums, by the load that made them, as int_run_changes has those of runs: of
-- counts and roll-ups by agent, and of roll-ups of the platform's agents.
-- Grain: version, measure and load.
-- key: version_id, measure, load_id
with

versions as not materialized (
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
)

select
    version_id, workspace_id, agent_id as line_id, utc_date as date, measure, run_count, cost_usd,
    load_id
from versions
union all
select
    version_id, workspace_id, agent_id, utc_date, measure, -run_count, -cost_usd,
    superseded_by_load_id
from versions
where superseded_by_load_id is not null
