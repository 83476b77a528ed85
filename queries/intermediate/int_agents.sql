-- Everything said of an agent, by whom, and when. Grain: agent and saying.
-- key: workspace_id, agent_id, authority, said_at
with

listed as (
    select
        workspace_id, agent_id, agent_name, agent_slug, status, is_current,
        2 as authority, seen_at as said_at, seen_at as first_seen_at,
        null::timestamptz as last_run_at, max_budget_usd, timeout_minutes
    from staging.stg_agents
),

summed as (
    select
        workspace_id, agent_id, agent_name, agent_slug, null as status, false as is_current,
        1 as authority, date::timestamptz as said_at, seen_at as first_seen_at, last_run_at,
        null as max_budget_usd, null as timeout_minutes
    from staging.stg_agent_rollups
    where agent_id is not null
),

ran as (
    select
        workspace_id, agent_id, null as agent_name, null as agent_slug, null as status,
        false as is_current, 0 as authority, max(created_at) as said_at,
        min(seen_at) as first_seen_at, max(created_at) as last_run_at,
        null as max_budget_usd, null as timeout_minutes
    from staging.stg_run_versions
    where agent_id is not null
    group by workspace_id, agent_id
)

from listed
union all
from summed
union all
from ran
