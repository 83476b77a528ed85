-- Failed runs with their error text.
select workspace_id, run_id, error_message
from staging.runs
where is_current and status = 'failed'
