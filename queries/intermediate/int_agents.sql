-- Agents that are listed, or known from runs, the API's sums or the books; a deleted one keeps its
-- last name. Grain: agent.
-- key: workspace_id, agent_id
-- column began_at: When it was created, or its first run was; null if neither is known.
-- materialized: table
with

-- Every observation of an agent: its record in the list of agents, in the API's sums, a run, or
-- metered usage. The list outranks the sums, these outrank runs.
observations as (
    select
        workspace_id, agent_id, nullif(trim(agent_name), '') as agent_name,
        if(trim(agent_slug) = '', null, agent_slug) as agent_slug, status, is_current,
        2 as source_rank, seen_at as observed_at, seen_at as first_seen_at, created_at as began_at,
        max_budget_usd, timeout_minutes
    from staging.agents
    union all by name
    select
        workspace_id, agent_id, nullif(trim(agent_name), '') as agent_name,
        if(trim(agent_slug) = '', null, agent_slug) as agent_slug, 1 as source_rank,
        utc_date::timestamptz as observed_at, seen_at as first_seen_at, last_run_at
    from staging.agent_rollups
    where is_current and agent_id is not null
    union all by name
    select
        workspace_id, agent_id, 0 as source_rank, max(created_at) as observed_at,
        min(seen_at) as first_seen_at, min(created_at) as began_at,
        max(created_at) filter (is_current) as last_run_at
    from staging.runs
    where agent_id is not null
    group by workspace_id, agent_id
    union all by name
    select workspace_id, agent_id, -1 as source_rank, max(observed_at) as observed_at
    from (
        select workspace_id, agent_id, hour as observed_at
        from staging.usage_hours
        where is_current
        union all
        select workspace_id, agent_id, utc_date::timestamptz
        from staging.agent_billing_days
        where is_current
    )
    where agent_id <> '(platform)'
    group by workspace_id, agent_id
),

-- From when on each agent's runs were counted by the API.
counted as (
    select workspace_id, agent_id, min(window_start) as first_date
    from ledger.requests
    where source = 'run_counts' and status = 200
    group by workspace_id, agent_id
),

booked as (
    select workspace_id, agent_id, agent_slug, agent_name, usage_month
    from finance.closed_lines
    union all by name
    select workspace_id, agent_id
    from finance.closed_charge_adjustments
    union all by name
    select workspace_id, agent_id
    from finance.closed_run_adjustments
)

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
    coalesce(bool_or(is_current), false) as is_listed,
    min(first_seen_at) as first_seen_at,
    min(began_at) as began_at,
    max(last_run_at) as last_run_at,
    any_value(counted.first_date) as first_counted_date
from observations
left join counted using (workspace_id, agent_id)
group by workspace_id, agent_id
union all by name
select
    workspace_id,
    agent_id,
    arg_max(agent_slug, usage_month) as agent_slug,
    coalesce(arg_max(agent_name, usage_month), agent_id) as agent_name,
    'agent' as line_type,
    false as is_listed
from booked
anti join observations using (workspace_id, agent_id)
where agent_id not in ('(none)', '(platform)')
group by workspace_id, agent_id
