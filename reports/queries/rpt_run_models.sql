-- What the listed runs of rpt_runs used of each model. Grain: run, model and provider.
-- materialized: view
select
    runs.workspace_id,
    runs.agent_id,
    runs.date,
    runs.run_id,
    models.model,
    models.provider,
    models.cost_usd,
    models.tokens_in,
    models.tokens_out,
    models.request_count
from reports.rpt_runs as runs
join marts.fct_run_models as models using (workspace_id, run_id)
