-- Records that could not be understood, whole or by field.
-- Grain: workspace, source, field and reason.
select
    workspace_id,
    source,
    field,
    coalesce(nullif(reason, ''), '(none)') as reason,
    count(*) as record_count,
    max(load_id) as last_load_id
from audit.quarantined_records
group by all
