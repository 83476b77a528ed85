-- Changes of the API's sums by agent and UTC day: each version adds its cost and its runs with its
-- load, and is taken off with the load that replaced it. Grain: version and load.
-- key: version_id, load_id
select version_id, workspace_id, date as utc_date, agent_id, cost_usd, run_count, load_id
from raw.agent_rollups
where agent_id is not null
union all
select
    rollups.version_id,
    rollups.workspace_id,
    rollups.date,
    rollups.agent_id,
    -rollups.cost_usd,
    -rollups.run_count,
    superseded.load_id
from raw.agent_rollups as rollups
join raw.superseded as superseded using (version_id)
where rollups.agent_id is not null
