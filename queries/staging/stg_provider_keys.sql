-- Keys of the workspace's own at model providers, as the list of keys has shown them. A key without
-- a creation time counts from when it was first seen. Grain: key and version.
-- key: version_id
with

seen as (
    select workspace_id, load_id, max(fetched_at) as seen_at
    from ledger.requests
    where source = 'provider_keys'
    group by workspace_id, load_id
),

listed as (
    select keys.version_id, max(requests.fetched_at) as listed_until
    from raw.provider_keys as keys
    join raw.superseded as superseded using (version_id)
    join ledger.requests as requests
        on requests.workspace_id = keys.workspace_id
        and requests.load_id < superseded.load_id
    where requests.source = 'provider_keys' and requests.status = 200
    group by keys.version_id
)

select
    keys.version_id,
    keys.workspace_id,
    keys.key_id,
    keys.provider,
    coalesce(keys.created_at, keys.seen_at) as created_at,
    superseded.version_id is null as is_current,
    keys.seen_at,
    coalesce(listed.listed_until, seen.seen_at, keys.seen_at) as listed_until,
    coalesce(seen.seen_at, keys.seen_at) as removed_at
from raw.provider_keys as keys
left join raw.superseded as superseded using (version_id)
left join seen on seen.workspace_id = keys.workspace_id and seen.load_id = superseded.load_id
left join listed using (version_id)
