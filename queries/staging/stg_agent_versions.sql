-- Every record of each version of an agent that was read. Grain: agent's version and record.
-- key: version_id
select
    version_id,
    workspace_id,
    agent_id,
    agent_version,
    status,
    parent_version,
    created_at,
    updated_at,
    version_id not in (select version_id from raw.superseded) as is_current
from raw.agent_versions
