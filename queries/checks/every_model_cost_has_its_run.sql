-- Every row of fct_run_models belongs to a run of fct_runs.
select workspace_id, run_id, model, provider, cost_usd
from marts.fct_run_models
anti join marts.fct_runs using (workspace_id, run_id)
