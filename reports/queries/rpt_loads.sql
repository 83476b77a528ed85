-- What each load brought, the newest first. Grain: load.
select
    workspace_id,
    load_id,
    step,
    request_count,
    record_count,
    new_version_count,
    superseded_count,
    quarantined_count,
    rounded_count,
    loaded_at
from audit.loads
order by workspace_id, load_id desc
