-- Metered usage by the hour of the model request (UTC); no agent means platform or
-- unattributed activity.
-- Grain: workspace, hour, agent, model and provider.
-- key: workspace_id, hour, agent_id, model, provider
select
    workspace_id,
    hour,
    agent_id,
    model,
    provider,
    sum(cost_usd) as cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(request_count)::bigint as request_count,
    sum(error_count)::bigint as error_count
from staging.stg_usage_hours
group by workspace_id, hour, agent_id, model, provider
order by workspace_id, hour
