-- All metered usage by model, by the UTC day of the model request.
-- Grain: workspace, line, UTC day, model and provider.
-- key: workspace_id, agent_id, utc_date, model, provider
-- narrow: utc_date
select
    workspace_id,
    agent_id,
    utc_date,
    coalesce(model, '(none)') as model,
    coalesce(provider, '(none)') as provider,
    sum(cost_usd) as cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(request_count)::bigint as request_count
from marts.fct_model_days
where request_count > 0 or cost_usd <> 0
group by all
order by workspace_id, agent_id, utc_date, model, provider
