-- Usage of each listed run by model. Grain: run, model and provider.
-- key: workspace_id, run_id, model, provider
-- narrow: run_id
-- ref run_id: fct_runs
-- column first_request_at: When the run's first request to the model came (UTC), as the API says.
-- column last_request_at: When the run's last request to the model came (UTC), as the API says.
select
    workspace_id,
    run_id,
    model,
    provider,
    sum(cost_usd) as cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(request_count)::bigint as request_count,
    min(started_at) as first_request_at,
    max(ended_at) as last_request_at
from staging.run_costs
where is_current
group by workspace_id, run_id, model, provider
