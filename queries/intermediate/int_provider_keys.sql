-- Keys of the workspace's own at model providers, with when each was added, last listed and
-- found removed.
-- Grain: key.
-- key: workspace_id, key_id
select
    workspace_id,
    key_id,
    arg_max(provider, seen_at) as provider,
    min(created_at) as added_at,
    if(bool_or(is_current), null, max(listed_until)) as listed_until,
    if(bool_or(is_current), null, max(removed_at)) as removed_at,
    bool_or(is_current) as is_listed,
    min(seen_at) as first_seen_at
from staging.stg_provider_keys
group by workspace_id, key_id
