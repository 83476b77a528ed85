-- Agents that are listed, or known from runs or the API's sums; a deleted one keeps its last name.
-- Every workspace has two more lines, '(none)' for runs without an agent and '(platform)' for the
-- platform's own activity, so that a join to this table loses no figure. Grain: agent.
-- key: workspace_id, agent_id
-- values line_type: agent, no_agent, platform
-- column first_counted_date: First UTC day whose runs the API was asked to count; else null.
-- column agent_slug: Current short name of the agent, as in its address; null without one.
-- column is_listed: True if the API's list of agents has the agent; false if only runs or sums do.
with

agents as (
    select
        workspace_id,
        agent_id,
        arg_max(agent_slug, (source_rank, observed_at)) filter (agent_slug is not null)
            as agent_slug,
        coalesce(
            arg_max(agent_name, (source_rank, observed_at)) filter (agent_name is not null),
            arg_max(agent_slug, (source_rank, observed_at)) filter (agent_slug is not null),
            agent_id
        ) as agent_name,
        'agent' as line_type,
        arg_max(status, observed_at) filter (status is not null) as status,
        arg_max_null(max_budget_usd, (source_rank, observed_at)) filter (source_rank = 2)
            as max_budget_usd,
        arg_max_null(timeout_minutes, (source_rank, observed_at)) filter (source_rank = 2)
            as timeout_minutes,
        bool_or(is_current) as is_listed,
        min(first_seen_at) as first_seen_at,
        max(last_run_at) as last_run_at,
        any_value(spans.first_date) as first_counted_date
    from intermediate.int_agent_observations
    left join intermediate.int_counted_spans as spans using (workspace_id, agent_id)
    group by workspace_id, agent_id
),

no_agent as (
    select workspace_id, min(seen_at) as first_seen_at, max(created_at) as last_run_at
    from staging.stg_run_versions
    where agent_id is null
    group by workspace_id
)

from agents
union all by name
select
    workspace_id,
    '(none)' as agent_id,
    'No agent' as agent_name,
    'no_agent' as line_type,
    false as is_listed,
    no_agent.first_seen_at,
    no_agent.last_run_at
from staging.stg_workspaces
left join no_agent using (workspace_id)
union all by name
select
    workspace_id,
    '(platform)' as agent_id,
    'Platform' as agent_name,
    'platform' as line_type,
    false as is_listed
from staging.stg_workspaces
order by workspace_id, agent_id
