-- Records that could not be understood. Grain: workspace, source and reason.
-- key: workspace_id, source, reason
-- column reason: Why the records could not be understood; '(none)' without a reason.
-- column record_count: Records that could not be understood.
select
    workspace_id,
    source,
    coalesce(nullif(reason, ''), '(none)') as reason,
    count(*) as record_count,
    min(load_id) as first_load_id,
    max(load_id) as last_load_id
from audit.quarantined_records
group by all
order by workspace_id, record_count desc, source, reason
