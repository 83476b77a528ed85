-- Metered usage by the hour of the model request (UTC). Usage that names no agent is the line
-- '(platform)': the platform's own activity, and that of runs without an agent.
-- Grain: workspace, hour, agent, model and provider.
-- key: workspace_id, hour, agent_id, model, provider
-- narrow: utc_date
-- narrow fct_usage_hours: (hour at time zone 'UTC')::date
-- ref agent_id: dim_agents
select
    workspace_id,
    usage.hour,
    agent_id,
    agents.agent_name,
    usage.model,
    usage.provider,
    sum(usage.metered_cost_usd) as metered_cost_usd,
    sum(usage.tokens_in)::bigint as tokens_in,
    sum(usage.tokens_out)::bigint as tokens_out,
    sum(usage.request_count)::bigint as request_count,
    sum(usage.error_count)::bigint as error_count
from staging.usage_hours as usage
left join marts.dim_agents as agents using (workspace_id, agent_id)
where usage.is_current
group by all
order by workspace_id, usage.hour
