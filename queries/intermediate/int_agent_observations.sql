-- Every observation of an agent: its record in the list of agents, in the API's sums, a run, or
-- metered usage. The list outranks the sums, these outrank runs. Grain: agent and observation.
-- key: workspace_id, agent_id, source_rank, observed_at
with

listed as (
    select
        workspace_id, agent_id, agent_name, agent_slug, status, is_current,
        2 as source_rank, seen_at as observed_at, seen_at as first_seen_at,
        null::timestamptz as last_run_at, max_budget_usd, timeout_minutes
    from staging.stg_agents
),

rolled_up as (
    select
        workspace_id, agent_id, agent_name, agent_slug, null as status, false as is_current,
        1 as source_rank, utc_date::timestamptz as observed_at, seen_at as first_seen_at,
        last_run_at, null as max_budget_usd, null as timeout_minutes
    from staging.stg_agent_rollups
    where agent_id is not null
),

ran as (
    select
        workspace_id, agent_id, null as agent_name, null as agent_slug, null as status,
        false as is_current, 0 as source_rank, max(created_at) as observed_at,
        min(seen_at) as first_seen_at,
        max(created_at) filter (versions.is_current) as last_run_at,
        null as max_budget_usd, null as timeout_minutes
    from staging.stg_run_versions as versions
    where agent_id is not null
    group by workspace_id, agent_id
),

metered as (
    select
        workspace_id, agent_id, null as agent_name, null as agent_slug, null as status,
        false as is_current, -1 as source_rank, max(observed_at) as observed_at,
        null::timestamptz as first_seen_at, null::timestamptz as last_run_at,
        null as max_budget_usd, null as timeout_minutes
    from (
        select workspace_id, agent_id, hour as observed_at
        from staging.stg_usage_hours
        union all
        select workspace_id, agent_id, utc_date::timestamptz
        from staging.stg_agent_billing_days
        where agent_id <> '(platform)'
    )
    where agent_id is not null
    group by workspace_id, agent_id
)

from listed
union all
from rolled_up
union all
from ran
union all
from metered
