-- Failed runs and what they said. Grain: run.
-- key: workspace_id, run_id
select workspace_id, run_id, error_message
from staging.stg_runs
where status = 'failed'
