-- Changes of the listed runs: each version of a run adds a run and its cost with its load, and is
-- taken off with the load that replaced it. Grain: version and load.
-- key: version_id, load_id
select version_id, workspace_id, run_id, agent_id, created_at, 1 as run_count, cost_usd, load_id
from raw.runs
union all
select
    versions.version_id,
    versions.workspace_id,
    versions.run_id,
    versions.agent_id,
    versions.created_at,
    -1,
    -versions.cost_usd,
    superseded.load_id
from raw.runs as versions
join raw.superseded as superseded using (version_id)
