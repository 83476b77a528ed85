-- What each run used of each model. Grain: run, model and provider.
-- key: workspace_id, run_id, model, provider
select
    workspace_id,
    run_id,
    model,
    provider,
    sum(cost_usd) as cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(request_count)::bigint as request_count
from staging.stg_run_costs
group by workspace_id, run_id, model, provider
