-- The parts of a day's figures: listed runs by agent, unlisted runs by agent, and the platform's
-- own usage. Listed runs stand under their reporting date; the other two are known by UTC day only
-- and stand under the same calendar date. Where the API refuses the platform's, or both counts and
-- roll-ups of an agent's runs, these are unknown.
-- Grain: workspace, part, agent and date.
-- key: workspace_id, part, agent_id, date
-- materialized: table
-- narrow: date
-- narrow int_agent_utc_days: utc_date
-- narrow platform_rollups: utc_date
-- narrow int_metered_days: utc_date
select
    workspace_id,
    'listed' as part,
    agent_id,
    date,
    count(*) as run_count,
    count(*) filter (status = 'succeeded') as succeeded_count,
    count(*) filter (status = 'failed') as failed_count,
    count(*) filter (status = 'cancelled') as cancelled_count,
    count(*) filter (not is_terminal) as open_count,
    count(*) filter (has_no_usage) as no_usage_count,
    count(*) filter (cost_usd is null) as unknown_cost_count,
    sum(cost_usd) as cost_usd,
    sum(cost_usd) filter (status = 'failed') as failed_cost_usd,
    count(*) filter (status = 'failed' and cost_usd is null) as unknown_failed_count,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(duration_ms)::bigint as duration_ms
from intermediate.int_runs
group by workspace_id, agent_id, date
union all by name
select
    workspace_id,
    'unlisted' as part,
    agent_id,
    utc_date as date,
    unlisted_run_count as run_count,
    unlisted_succeeded_count as succeeded_count,
    unlisted_failed_count as failed_count,
    unlisted_cancelled_count as cancelled_count,
    unlisted_open_count as open_count,
    0 as no_usage_count,
    if(unlisted_cost_usd is null, unlisted_run_count, 0) as unknown_cost_count,
    unlisted_cost_usd as cost_usd,
    unlisted_tokens_in as tokens_in,
    unlisted_tokens_out as tokens_out,
    unlisted_duration_ms as duration_ms
from intermediate.int_agent_utc_days
where unlisted_run_count > 0
union all by name
select distinct
    runs.workspace_id,
    'unlisted' as part,
    runs.agent_id,
    runs.date
from intermediate.int_runs as runs
join intermediate.int_metered_days as days
    on days.workspace_id = runs.workspace_id and days.utc_date = runs.date
anti join intermediate.int_agent_utc_days as unlisted
    on unlisted.workspace_id = runs.workspace_id
    and unlisted.agent_id = runs.agent_id
    and unlisted.utc_date = runs.date
    and unlisted.unlisted_run_count > 0
where not (days.has_counts or days.has_rollups) and runs.agent_id <> '(none)'
union all by name
select
    workspace_id,
    'platform' as part,
    '(platform)' as agent_id,
    utc_date as date,
    0 as run_count,
    0 as succeeded_count,
    0 as failed_count,
    0 as cancelled_count,
    0 as open_count,
    0 as no_usage_count,
    0 as unknown_cost_count,
    bool_or(cost_usd is null)::bigint as unknown_platform_count,
    sum(cost_usd) as cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    0 as duration_ms
from (
    select rollups.workspace_id, rollups.utc_date, cost_usd, tokens_in, tokens_out
    from staging.platform_rollups as rollups
    left join intermediate.int_metered_days as days using (workspace_id, utc_date)
    where rollups.is_current and coalesce(has_platform, true)
    union all
    select workspace_id, utc_date, null, null, null
    from intermediate.int_metered_days
    where not has_platform
)
group by workspace_id, utc_date
