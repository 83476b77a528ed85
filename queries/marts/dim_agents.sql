-- Agents that are listed, or known from runs or the API's sums; a deleted one keeps its last name.
-- Grain: agent.
-- key: workspace_id, agent_id
-- column first_counted_date: First UTC day whose runs the API was asked to count; else null.
select
    workspace_id,
    agent_id,
    arg_max(agent_slug, (authority, said_at)) filter (agent_slug is not null) as agent_slug,
    coalesce(
        arg_max(agent_name, (authority, said_at)) filter (agent_name is not null),
        arg_max(agent_slug, (authority, said_at)) filter (agent_slug is not null),
        agent_id
    ) as agent_name,
    arg_max(status, said_at) filter (status is not null) as status,
    arg_max_null(max_budget_usd, said_at) filter (authority = 2) as max_budget_usd,
    arg_max_null(timeout_minutes, said_at) filter (authority = 2) as timeout_minutes,
    bool_or(is_current) as is_listed,
    min(first_seen_at) as first_seen_at,
    max(last_run_at) as last_run_at,
    any_value(spans.first_date) as first_counted_date
from intermediate.int_agents
left join intermediate.int_counted_spans as spans using (workspace_id, agent_id)
group by workspace_id, agent_id
order by workspace_id, agent_id
