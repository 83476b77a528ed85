-- Metered usage by the hour of the model request (UTC). Usage that names no agent is the line
-- '(platform)': the platform's own activity, and that of runs without an agent.
-- Grain: workspace, hour, agent, model and provider.
-- key: workspace_id, hour, agent_id, model, provider
-- narrow: utc_date
-- narrow fct_usage_hours: (hour at time zone 'UTC')::date
-- ref agent_id: dim_agents
select
    workspace_id,
    hour,
    agent_id,
    model,
    provider,
    sum(metered_cost_usd) as metered_cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(request_count)::bigint as request_count,
    sum(error_count)::bigint as error_count
from staging.usage_hours
where is_current
group by workspace_id, hour, agent_id, model, provider
order by workspace_id, hour
