-- Listed runs of sessions. Grain: run.
-- key: workspace_id, run_id
select workspace_id, session_id, run_id, created_at, status
from staging.runs
where is_current and session_id is not null
