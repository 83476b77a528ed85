-- Every row of fct_log_events belongs to a run of fct_runs.
select workspace_id, run_id, seq
from marts.fct_log_events
anti join marts.fct_runs using (workspace_id, run_id)
