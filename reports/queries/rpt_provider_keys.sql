-- The keys of the workspace's own at model providers. Grain: key.
select
    workspace_id,
    key_id,
    coalesce(provider, '(none)') as provider,
    added_at,
    if(is_listed, 'listed', 'revoked') as state
from marts.dim_provider_keys
order by workspace_id, is_listed desc, provider, added_at, key_id
