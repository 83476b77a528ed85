-- All metered usage by model, by the UTC day of the model request.
-- Grain: workspace, line, UTC day, model and provider.
select
    workspace_id, agent_id, utc_date, model, provider,
    metered_cost_usd as cost_usd,
    tokens_in,
    tokens_out,
    request_count
from marts.fct_model_days
where request_count <> 0 or metered_cost_usd <> 0 or tokens_in <> 0 or tokens_out <> 0
