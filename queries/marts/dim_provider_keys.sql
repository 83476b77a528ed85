-- Keys of the workspace's own at model providers: the provider bills the workspace for runs that
-- start while the key is there, and Levain bills its charge alone. Grain: key.
-- key: workspace_id, key_id
-- column is_listed: True if the API's list of keys has it; false once it was revoked.
-- column removed_at: When a batch first read the list of keys without it (UTC); null while listed.
select
    workspace_id,
    key_id,
    arg_max(provider, seen_at) as provider,
    min(created_at) as added_at,
    if(bool_or(is_current), null, max(removed_at)) as removed_at,
    bool_or(is_current) as is_listed,
    min(seen_at) as first_seen_at
from staging.stg_provider_keys
group by workspace_id, key_id
order by workspace_id, key_id
