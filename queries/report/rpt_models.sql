-- Metered usage by line, UTC day, model and provider. Grain: workspace, line, UTC day, model and
-- provider.
-- key: workspace_id, agent_id, utc_date, model, provider
-- column cost_usd: Metered cost in US dollars at the provider's list price.
select
    workspace_id,
    agent_id,
    utc_date,
    coalesce(model, '(none)') as model,
    coalesce(provider, '(none)') as provider,
    cost_usd,
    tokens_in,
    tokens_out,
    request_count
from marts.fct_model_days
where request_count > 0 or cost_usd <> 0
order by workspace_id, utc_date, agent_id, model, provider
