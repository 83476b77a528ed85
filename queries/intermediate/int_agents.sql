-- Agents that are listed, or known from runs, the API's sums or the books; a deleted one keeps its
-- last name. Grain: agent.
-- key: workspace_id, agent_id
-- materialized: table
with

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
    bool_or(is_current) as is_listed,
    min(first_seen_at) as first_seen_at,
    max(last_run_at) as last_run_at,
    any_value(spans.first_date) as first_counted_date
from intermediate.int_agent_observations
left join intermediate.int_counted_spans as spans using (workspace_id, agent_id)
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
anti join intermediate.int_agent_observations using (workspace_id, agent_id)
where agent_id not in ('(none)', '(platform)')
group by workspace_id, agent_id
