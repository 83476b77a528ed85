-- All runs of an agent by date, listed and unlisted, with a line for runs without an agent and one
-- for the platform's own activity, so that the lines of a workspace add up to fct_workspace_days.
-- Runs stand under the date of their creation in the reporting time zone; unlisted runs and the
-- platform are known by UTC day only and stand under the same calendar date: outside UTC, days with
-- unlisted runs are no days of one time zone. An idle day of a line, without a run or, of the
-- platform, usage, has no row: dim_dates has every day.
-- Grain: workspace, line and date.
-- key: workspace_id, agent_id, date
-- narrow: date
-- narrow int_agent_utc_days: utc_date
-- narrow platform_rollups: utc_date
-- narrow int_metered_days: utc_date
-- ref agent_id: dim_agents
with

listed as (
    select
        workspace_id,
        agent_id,
        date,
        count(*) as run_count,
        count(*) filter (status = 'succeeded') as succeeded_count,
        count(*) filter (status = 'failed') as failed_count,
        count(*) filter (status = 'cancelled') as cancelled_count,
        count(*) filter (not is_terminal) as open_count,
        0 as unknown_outcome_count,
        sum(cost_usd) as cost_usd,
        sum(tokens_in) as tokens_in,
        sum(tokens_out) as tokens_out,
        sum(duration_ms) as duration_ms,
        count(*) as listed_run_count,
        0 as unlisted_run_count,
        sum(cost_usd) as listed_cost_usd,
        if(failed_count > 0, sum(cost_usd) filter (status = 'failed'), 0) as failed_cost_usd,
        if(bool_or(status = 'failed' and cost_usd is null), null, failed_cost_usd)
            as failed_cost_high_usd,
        if(cancelled_count > 0, sum(cost_usd) filter (status = 'cancelled'), 0)
            as cancelled_cost_usd,
        0 as unlisted_failed_count,
        count(*) filter (cost_usd is null) as unknown_cost_count,
        0 as unknown_platform_count,
        count(*) filter (has_no_usage) as no_usage_count
    from intermediate.int_runs
    group by workspace_id, agent_id, date
),

unlisted as (
    select
        workspace_id,
        agent_id,
        utc_date as date,
        unlisted_run_count as run_count,
        unlisted_succeeded_count as succeeded_count,
        unlisted_failed_count as failed_count,
        unlisted_cancelled_count as cancelled_count,
        unlisted_open_count as open_count,
        if(unlisted_open_count is null, unlisted_run_count, 0) as unknown_outcome_count,
        unlisted_cost_usd as cost_usd,
        unlisted_tokens_in as tokens_in,
        unlisted_tokens_out as tokens_out,
        unlisted_duration_ms as duration_ms,
        0 as listed_run_count,
        unlisted_run_count,
        unlisted_cost_usd,
        0 as failed_cost_usd,
        if(unlisted_failed_count = 0, 0, unlisted_cost_usd) as failed_cost_high_usd,
        0 as cancelled_cost_usd,
        unlisted_failed_count,
        if(unlisted_cost_usd is null, unlisted_run_count, 0) as unknown_cost_count,
        0 as unknown_platform_count,
        0 as no_usage_count
    from intermediate.int_agent_utc_days
    where unlisted_run_count > 0
),

-- A part has 0 of what it cannot have, and null of what is unknown of it.
parts as (
    from listed
    union all by name
    from unlisted
    union all by name
    -- Where the API refuses both counts and roll-ups, nothing of unlisted runs is known.
    select
        listed.workspace_id, agent_id, date, 0 as run_count, 0 as failed_cost_usd,
        0 as cancelled_cost_usd
    from listed
    anti join unlisted using (workspace_id, agent_id, date)
    join intermediate.int_metered_days as days
        on days.workspace_id = listed.workspace_id and days.utc_date = date
    where not (has_counts or has_rollups) and agent_id <> '(none)'
    union all by name
    -- Where it refuses the platform's, what was read before counts no more.
    select
        workspace_id,
        '(platform)' as agent_id,
        utc_date as date,
        0 as run_count,
        0 as succeeded_count,
        0 as failed_count,
        0 as cancelled_count,
        0 as open_count,
        0 as unknown_outcome_count,
        sum(cost_usd) filter (has_platform is not false) as cost_usd,
        sum(tokens_in) filter (has_platform is not false) as tokens_in,
        sum(tokens_out) filter (has_platform is not false) as tokens_out,
        0 as duration_ms,
        0 as listed_run_count,
        0 as unlisted_run_count,
        0 as failed_cost_usd,
        0 as failed_cost_high_usd,
        0 as cancelled_cost_usd,
        0 as unlisted_failed_count,
        0 as unknown_cost_count,
        bool_or(has_platform is false or cost_usd is null)::bigint as unknown_platform_count,
        0 as no_usage_count
    from (from staging.platform_rollups where is_current)
    full join intermediate.int_metered_days using (workspace_id, utc_date)
    where is_current or not has_platform
    group by workspace_id, utc_date
)

select
    sums.workspace_id,
    agents.workspace_name,
    sums.agent_id,
    agents.agent_slug,
    agents.agent_name,
    agents.line_type,
    coalesce(spans.owner, '(none)') as owner,
    coalesce(spans.cost_center, '(none)') as cost_center,
    sums.date,
    sums.* exclude (workspace_id, agent_id, date),
    coalesce(dates.is_complete, false) as is_complete
from roll_up(parts, workspace_id, agent_id, date) as sums
left join intermediate.int_owner_spans as spans
    on spans.workspace_id = sums.workspace_id
    and spans.agent_id = sums.agent_id
    and sums.date between spans.first_date and spans.last_date
left join marts.dim_dates as dates
    on dates.workspace_id = sums.workspace_id and dates.date = sums.date
left join marts.dim_agents as agents
    on agents.workspace_id = sums.workspace_id and agents.agent_id = sums.agent_id
order by sums.workspace_id, sums.agent_id, sums.date
