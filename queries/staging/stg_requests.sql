-- Answered requests. Grain: request.
-- key: workspace_id, load_id, request
select
    workspace_id,
    load_id,
    request as request_number,
    source,
    path,
    params,
    run_id,
    agent_id,
    window_start,
    window_end,
    status,
    byte_count,
    record_count,
    fetched_at
from ledger.requests
