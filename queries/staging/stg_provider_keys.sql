-- Keys of the workspace's own at model providers, as the list of keys has shown them.
-- Grain: key and version.
-- key: version_id
select
    version_id,
    workspace_id,
    key_id,
    provider,
    created_at,
    version_id not in (select version_id from raw.superseded) as is_current,
    seen_at
from raw.provider_keys
