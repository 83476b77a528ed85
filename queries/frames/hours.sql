-- Metered hours of agents, providers and models of the last 57 days; the UTC days of `is_whole`
-- ones have ended.
select
    workspace_id,
    hour,
    hours.agent_id,
    provider,
    model,
    metered_cost_usd,
    tokens_in,
    tokens_out,
    request_count,
    error_count,
    (hour at time zone 'UTC')::date < (last_batch_at at time zone 'UTC')::date as is_whole
from marts.fct_usage_hours as hours
join marts.dim_workspaces using (workspace_id)
where hour >= last_batch_at - interval 57 days
