-- Every failed run has an error class, and no other run has one.
-- narrow: run_id
select workspace_id, agent_id, date, run_id, status, error_class
from marts.fct_runs
where (status = 'failed') <> (error_class is not null)
