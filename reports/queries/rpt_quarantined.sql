-- Records that could not be understood, whole or by field.
-- Grain: workspace, source, field and reason.
select
    workspace_id,
    source,
    field,
    coalesce(nullif(reason, ''), '(none)') as reason,
    count(*) as record_count,
    min(load_id) as first_load_id,
    max(load_id) as last_load_id
from audit.quarantined_records
group by all
order by workspace_id, record_count desc, source, field, reason
