-- What the listed runs of rpt_runs used of each model. Grain: run, model and provider.
-- key: workspace_id, run_id, model, provider
-- narrow: month
-- narrow rpt_run_models: date_trunc('month', date)::date
-- narrow rpt_runs: date_trunc('month', date)::date
-- narrow fct_run_models: by run_id
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
