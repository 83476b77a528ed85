-- Records that could not be understood, whole or by field.
-- Grain: workspace, source, field and reason.
-- key: workspace_id, source, field, reason
-- column field: The field that is left out; '(record)' where the whole record is.
-- column reason: Why they could not be understood; '(none)' without a reason.
-- column record_count: Records of which this could not be understood.
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
