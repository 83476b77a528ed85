-- Every version of each run. Grain: run and version.
-- key: version_id
select
    version_id,
    workspace_id,
    run_id,
    agent_id,
    created_at,
    version_id not in (select version_id from raw.superseded) as is_current,
    seen_at
from raw.runs
