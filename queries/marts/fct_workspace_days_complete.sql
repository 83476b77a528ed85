-- Listed runs beside what the run lists lack: the runs of listing gaps, and the platform's own.
-- Those two are known by UTC day only, and stand here under the same calendar day.
-- Grain: workspace, date.
-- key: workspace_id, date
with

gaps as (
    select
        workspace_id,
        date,
        sum(missing_run_count)::bigint as missing_run_count,
        sum(missing_cost_usd) as gap_cost_usd,
        count(*) filter (missing_cost_usd is null) as unknown_gap_count
    from marts.fct_listing_gaps
    group by workspace_id, date
),

platform as (
    select
        workspace_id,
        date,
        sum(run_count)::bigint as platform_run_count,
        sum(cost_usd) as platform_cost_usd
    from marts.fct_platform_agent_days
    group by workspace_id, date
),

dates as (
    select workspace_id, date
    from marts.fct_workspace_days
    union
    select workspace_id, date
    from gaps
    union
    select workspace_id, date
    from platform
)

select
    dates.workspace_id,
    dates.date,
    coalesce(days.run_count, 0) as run_count,
    coalesce(days.succeeded_count, 0) as succeeded_count,
    coalesce(days.failed_count, 0) as failed_count,
    coalesce(days.cancelled_count, 0) as cancelled_count,
    coalesce(days.open_count, 0) as open_count,
    coalesce(days.no_usage_count, 0) as no_usage_count,
    coalesce(days.unknown_cost_count, 0) as unknown_cost_count,
    days.failure_rate,
    days.failure_rate_low,
    days.failure_rate_high,
    if(days.date is null, 0, days.cost_usd) as cost_usd,
    if(days.date is null, 0, days.failed_cost_usd) as failed_cost_usd,
    if(days.date is null, 0, days.tokens_in) as tokens_in,
    if(days.date is null, 0, days.tokens_out) as tokens_out,
    coalesce(gaps.missing_run_count, 0) as missing_run_count,
    coalesce(gaps.unknown_gap_count, 0) as unknown_gap_count,
    if(gaps.date is null, 0, gaps.gap_cost_usd) as gap_cost_usd,
    coalesce(platform.platform_run_count, 0) as platform_run_count,
    if(platform.date is null, 0, platform.platform_cost_usd) as platform_cost_usd,
    list_sum([days.cost_usd, gaps.gap_cost_usd, platform.platform_cost_usd])::decimal(38, 10)
        as complete_cost_usd
from dates
left join marts.fct_workspace_days as days using (workspace_id, date)
left join gaps using (workspace_id, date)
left join platform using (workspace_id, date)
order by dates.workspace_id, dates.date
