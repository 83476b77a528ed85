-- Log events of runs, as last read. Grain: record.
-- key: version_id
select
    version_id,
    workspace_id,
    run_id,
    record_hash,
    seq,
    occurred_at,
    level,
    logger,
    node,
    event_kind,
    tool_use_id,
    tool_name,
    is_error,
    duration_ms
from raw.run_log_events
anti join raw.superseded using (version_id)
