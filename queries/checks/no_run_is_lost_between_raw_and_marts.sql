-- Every run that was ever loaded is in fct_runs.
-- narrow: run_id
select workspace_id, agent_id, created_at, run_id
from raw.runs
anti join marts.fct_runs using (workspace_id, run_id)
