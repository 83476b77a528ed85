-- The measures of all runs, for each line (an agent, runs without one, the platform) and for the
-- workspace, by date and by month; of a line's month also by owner. What is unknown is in no sum; a
-- sum of nothing known is unknown.
-- Grain: workspace, scope, agent, owner, cost center, period, first day of the period.
-- key: workspace_id, scope, agent_id, owner, cost_center, period, starts_on
-- materialized: table
-- narrow: month
-- narrow int_day_parts: date_trunc('month', date)::date
with

parts as (
    select
        parts.*,
        date_trunc('month', parts.date)::date as month,
        parts.part = 'listed' as is_listed,
        parts.part = 'unlisted' as is_unlisted,
        coalesce(spans.owner, '(none)') as owner,
        coalesce(spans.cost_center, '(none)') as cost_center
    from intermediate.int_day_parts as parts
    left join intermediate.int_owner_spans as spans
        on spans.workspace_id = parts.workspace_id
        and spans.agent_id = parts.agent_id
        and parts.date between spans.first_date and spans.last_date
),

sums as (
    select
        workspace_id,
        case
            when grouping(agent_id) = 1 then 'workspace'
            when grouping(date) = 1 and grouping(owner) = 0 then 'agent_owner'
            else 'agent'
        end as scope,
        agent_id,
        owner,
        cost_center,
        if(grouping(date) = 0, 'day', 'month') as period,
        coalesce(date, month) as starts_on,
        sum(run_count)::bigint as run_count,
        sum(succeeded_count)::bigint as succeeded_count,
        sum(failed_count)::bigint as failed_count,
        sum(cancelled_count)::bigint as cancelled_count,
        sum(open_count)::bigint as open_count,
        sum(cost_usd) as cost_usd,
        sum(tokens_in)::bigint as tokens_in,
        sum(tokens_out)::bigint as tokens_out,
        sum(duration_ms)::bigint as duration_ms,
        coalesce(sum(run_count) filter (is_listed), 0)::bigint as listed_run_count,
        if(bool_or(is_unlisted), sum(run_count) filter (is_unlisted), 0)::bigint
            as unlisted_run_count,
        if(bool_or(is_listed), sum(cost_usd) filter (is_listed), 0) as listed_cost_usd,
        if(bool_or(is_unlisted), sum(cost_usd) filter (is_unlisted), 0) as unlisted_cost_usd,
        if(bool_or(part = 'platform'), sum(cost_usd) filter (part = 'platform'), 0)
            as platform_cost_usd,
        if(
            bool_or(is_listed and failed_count > 0),
            sum(failed_cost_usd) filter (is_listed),
            0
        ) as failed_cost_usd,
        case
            when bool_or(is_unlisted and failed_count is null) then null
            else coalesce(sum(failed_count) filter (is_unlisted), 0)
        end::bigint as unlisted_failed_count,
        bool_or(
            if(
                is_unlisted,
                coalesce(failed_count > 0, true) and cost_usd is null,
                coalesce(unknown_failed_count > 0, false)
            )
        ) as is_failed_unbounded,
        coalesce(sum(cost_usd) filter (is_unlisted and coalesce(failed_count > 0, true)), 0)
            as may_have_failed_usd,
        sum(unknown_cost_count)::bigint as unknown_cost_count,
        coalesce(sum(unknown_platform_count), 0)::bigint as unknown_platform_count,
        sum(no_usage_count)::bigint as no_usage_count
    from parts
    group by grouping sets (
        (workspace_id, agent_id, owner, cost_center, date),
        (workspace_id, agent_id, owner, cost_center, month),
        (workspace_id, agent_id, month),
        (workspace_id, date),
        (workspace_id, month)
    )
),

-- Runs of unknown outcome may have failed more or less often than the others.
rated as (
    select
        *,
        if(
            run_count > succeeded_count + failed_count + cancelled_count + open_count,
            null,
            failed_count
        ) as rated_count
    from sums
)

select
    workspace_id,
    scope,
    agent_id,
    owner,
    cost_center,
    period,
    starts_on,
    date_trunc('month', starts_on)::date as month,
    run_count,
    succeeded_count,
    failed_count,
    cancelled_count,
    open_count,
    failure_rate(rated_count, succeeded_count) as failure_rate,
    wilson_low(rated_count, succeeded_count) as failure_rate_low,
    wilson_high(rated_count, succeeded_count) as failure_rate_high,
    cost_usd,
    platform_cost_usd::decimal(38, 10) as platform_cost_usd,
    tokens_in,
    tokens_out,
    duration_ms,
    listed_run_count,
    unlisted_run_count,
    listed_cost_usd::decimal(38, 10) as listed_cost_usd,
    unlisted_cost_usd::decimal(38, 10) as unlisted_cost_usd,
    failed_cost_usd::decimal(38, 10) as failed_cost_usd,
    if(is_failed_unbounded, null, failed_cost_usd + may_have_failed_usd)::decimal(38, 10)
        as failed_cost_high_usd,
    unlisted_failed_count,
    unknown_cost_count,
    unknown_platform_count,
    no_usage_count
from rated
