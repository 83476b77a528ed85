-- Runs as last read. Grain: run.
-- key: workspace_id, run_id
-- clustered: created_at
select
    workspace_id,
    run_id,
    agent_id,
    agent_version,
    session_id,
    parent_run_id,
    kind,
    status,
    coalesce(status in ('succeeded', 'failed', 'cancelled'), false) as is_terminal,
    cost_usd,
    tokens_in,
    tokens_out,
    artifact_count,
    error as error_message,
    created_at,
    started_at,
    finished_at,
    load_id,
    request as request_number,
    line as file_line,
    seen_at
from raw.runs
anti join raw.superseded using (version_id)
