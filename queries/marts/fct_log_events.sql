-- Log events of ended runs, without their texts. Grain: run and event.
-- key: workspace_id, run_id, seq
select distinct on (workspace_id, run_id, seq)
    workspace_id,
    run_id,
    seq,
    occurred_at,
    level,
    logger,
    node,
    event_kind,
    tool_name,
    is_error,
    duration_ms
from staging.stg_run_log_events
