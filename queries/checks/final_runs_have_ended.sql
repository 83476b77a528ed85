-- A run is final only once it has succeeded, failed or been cancelled.
-- narrow: run_id
select workspace_id, agent_id, date, run_id, status
from marts.fct_runs
where is_final and not is_terminal
