-- Landing folders that were loaded. Grain: load.
-- key: workspace_id, load_id
select
    workspace_id,
    load_id,
    step,
    loaded_at,
    code_version,
    record_count,
    new_version_count,
    superseded_count,
    quarantined_count,
    rounded_count
from ledger.loads
