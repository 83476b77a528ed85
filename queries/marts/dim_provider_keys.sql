-- Keys of the workspace's own at model providers: the provider bills the workspace for runs that
-- start while the key is there, and Levain bills its charge alone. Grain: key.
-- key: workspace_id, key_id
-- column added_at: When the key was added (UTC), or first seen where the API does not say.
-- column is_listed: True if the API's list of keys has it; false once it was revoked.
-- column listed_until: When a batch last read the list of keys with it (UTC); null while listed.
-- column removed_at: When a batch first read the list of keys without it (UTC); null while listed.
with

seen as (
    select workspace_id, load_id, max(fetched_at) as seen_at
    from ledger.requests
    where source = 'provider_keys'
    group by workspace_id, load_id
),

listed as (
    select keys.version_id, max(requests.fetched_at) as listed_until
    from staging.provider_keys as keys
    join ledger.requests as requests
        on requests.workspace_id = keys.workspace_id
        and requests.load_id < keys.superseded_by_load_id
    where requests.source = 'provider_keys' and requests.status = 200
    group by keys.version_id
)

select
    keys.workspace_id,
    keys.key_id,
    arg_max(keys.provider, keys.seen_at) as provider,
    min(coalesce(keys.created_at, keys.seen_at)) as added_at,
    bool_or(keys.is_current) as is_listed,
    if(is_listed, null, max(coalesce(listed.listed_until, seen.seen_at, keys.seen_at)))
        as listed_until,
    if(is_listed, null, max(coalesce(seen.seen_at, keys.seen_at))) as removed_at,
    min(keys.seen_at) as first_seen_at
from staging.provider_keys as keys
left join seen
    on seen.workspace_id = keys.workspace_id and seen.load_id = keys.superseded_by_load_id
left join listed using (version_id)
group by keys.workspace_id, keys.key_id
order by keys.workspace_id, keys.key_id
