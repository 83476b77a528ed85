-- Usage of the runs of rpt_runs by model. Grain: run, model and provider.
-- key: workspace_id, run_id, model, provider
-- column cost_usd: Cost in US dollars that the run has of the model.
select
    runs.workspace_id,
    runs.run_id,
    runs.agent_id,
    runs.date,
    coalesce(models.model, '(none)') as model,
    coalesce(models.provider, '(none)') as provider,
    models.cost_usd,
    models.tokens_in,
    models.tokens_out,
    models.request_count
from reports.rpt_runs as runs
join marts.fct_run_models as models using (workspace_id, run_id)
order by runs.workspace_id, runs.agent_id, runs.date, runs.run_id, models.cost_usd desc
