-- Keys of the workspace's own at model providers: the provider bills the workspace for runs that
-- start while the key is there, and Levain bills its charge alone. Grain: key.
-- key: workspace_id, key_id
-- column is_listed: True if the API's list of keys has it; false once it was revoked.
-- column removed_at: When a batch first read the list of keys without it (UTC); null while listed.
select workspace_id, key_id, provider, added_at, removed_at, is_listed, first_seen_at
from intermediate.int_provider_keys
order by workspace_id, key_id
