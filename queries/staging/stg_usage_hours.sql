-- Metered usage by hour, as last read.
-- Grain: hour, agent, model and provider as the API spells them.
-- key: version_id
select
    version_id,
    workspace_id,
    hour,
    agent_id,
    coalesce(regexp_replace(model, '^[^/]+/(.)', '\1'), '(unknown)') as model,
    coalesce(provider, '(unknown)') as provider,
    cost_usd as metered_cost_usd,
    tokens_in,
    tokens_out,
    request_count,
    error_count
from raw.usage_hours
anti join raw.superseded using (version_id)
