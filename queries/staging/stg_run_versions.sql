-- Every version of each run. Grain: run and version.
-- key: version_id
select
    runs.version_id,
    runs.workspace_id,
    runs.run_id,
    runs.agent_id,
    runs.cost_usd,
    runs.created_at,
    runs.load_id,
    superseded.load_id as superseded_by_load_id,
    superseded.version_id is null as is_current,
    runs.seen_at
from raw.runs as runs
left join raw.superseded as superseded using (version_id)
