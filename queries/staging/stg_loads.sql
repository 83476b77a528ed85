-- Landing folders that were loaded. Grain: load.
-- A batch ends with a load of the workspace's name; what a batch that broke off has landed
-- belongs to the next one that ended.
-- key: workspace_id, load_id
select
    workspace_id,
    load_id,
    step,
    min(load_id) filter (step = 'workspace') over (
        partition by workspace_id
        order by load_id
        rows between current row and unbounded following
    ) as batch_id,
    loaded_at,
    code_version,
    record_count,
    new_version_count,
    superseded_count,
    quarantined_count,
    rounded_count,
    published_at
from ledger.loads
