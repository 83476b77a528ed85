-- The measures of each period that is compared, of each line, of each workspace (agent '(all)') and
-- of the site (both '(all)'). An agent whose last run is more than 91 days old rests: its today is
-- the 91st day after that run, so that its periods do not move. What is compared ends with the last
-- day that is over.
-- Grain: workspace or '(all)', line or '(all)', and period.
with

lines as (
    select
        agents.workspace_id,
        agents.agent_id,
        max(days.date) as last_day
    from marts.dim_agents as agents
    left join reports.rpt_days as days using (workspace_id, agent_id)
    group by all
    having any_value(agents.line_type) = 'agent' or count(days.date) > 0
),

entities as (
    select
        workspace_id,
        agent_id,
        first_date,
        least(today, last_day + 91) as today,
        least(yesterday, last_day + 90) as yesterday
    from lines
    join reports.rpt_calendars using (workspace_id)
    union all by name
    select workspace_id, '(all)' as agent_id, first_date, today, yesterday
    from reports.rpt_calendars
),

months as (
    select
        *,
        date_trunc('month', today)::date as month,
        (date_trunc('month', today) - interval 1 month)::date as last_month
    from entities
),

spans as (
    select
        *,
        unnest([
            ('yesterday', yesterday, yesterday),
            ('month', month, today),
            ('month_days', month, least(yesterday, month + (month - last_month)::int - 1)),
            ('previous_days', last_month, least(last_month + (yesterday - month)::int, month - 1)),
            ('last_month', last_month, month - 1),
            ('recent', yesterday - 29, yesterday),
            ('charted', today - 91, today),
            ('all', (select min(date) from marts.dim_dates), today)
        ]) as span
    from months
),

periods as (
    select
        workspace_id,
        agent_id,
        first_date,
        today,
        yesterday,
        span[1] as period,
        span[2] as period_first,
        span[3] as period_last
    from spans
    where span[2] <= span[3]
),

-- How much of each period was read.
read as (
    select
        periods.workspace_id,
        period_first,
        period_last,
        period_last - period_first + 1 - count(*) filter (dates.state = 'complete')
            as incomplete_day_count,
        if(bool_or(dates.state <> 'incomplete'), 0, null) as no_runs
    from (
        select distinct workspace_id, first_date, period_first, period_last
        from periods
    ) as periods
    join reports.rpt_dates as dates
        on dates.workspace_id = periods.workspace_id
        and dates.date between period_first and period_last
        and period_last >= first_date
    group by periods.workspace_id, period_first, period_last
),

days as (
    from reports.rpt_days
    union all by name
    select *, '(all)' as agent_id
    from reports.rpt_workspace_days
    union all by name
    select * replace ('(all)' as workspace_id), '(all)' as agent_id
    from reports.rpt_workspace_days
),

sums as (
    select
        periods.workspace_id,
        periods.agent_id,
        periods.period,
        periods.today,
        periods.yesterday,
        period_first,
        period_last,
        sum(days.run_count)::bigint as run_count,
        sum(days.succeeded_count)::bigint as succeeded_count,
        sum(days.failed_count)::bigint as failed_count,
        sum(days.finished_count)::bigint as finished_count,
        sum(days.cancelled_count)::bigint as cancelled_count,
        sum(days.open_count)::bigint as open_count,
        sum(days.unknown_outcome_count)::bigint as unknown_outcome_count,
        sum(days.listed_run_count)::bigint as listed_run_count,
        nullif(
            sum(days.unlisted_run_count),
            if(count(days.run_count) > count(days.unlisted_run_count), 0, null)
        )::bigint as unlisted_run_count,
        nullif(
            sum(days.unlisted_failed_count),
            if(count(days.run_count) > count(days.unlisted_failed_count), 0, null)
        )::bigint as unlisted_failed_count,
        sum(days.unknown_cost_count)::bigint as unknown_cost_count,
        sum(days.no_usage_count)::bigint as no_usage_count,
        sum(days.cost_usd) as cost_usd,
        sum(days.run_cost_usd) as run_cost_usd,
        sum(days.platform_cost_usd) as platform_cost_usd,
        sum(days.unknown_platform_count)::bigint as unknown_platform_count,
        sum(days.unlisted_cost_usd) as unlisted_cost_usd,
        sum(days.tokens_in)::bigint as tokens_in,
        sum(days.tokens_out)::bigint as tokens_out,
        sum(days.failed_cost_usd) as failed_cost_usd,
        sum(days.failed_cost_more_usd) as failed_cost_more_usd,
        sum(days.failed_cost_open_count)::bigint as failed_cost_open_count
    from periods
    left join reports.rpt_dates as dates
        on dates.workspace_id = periods.workspace_id
        and dates.date between period_first and period_last
        and period_last >= first_date
    left join days
        on days.workspace_id = periods.workspace_id
        and days.agent_id = periods.agent_id
        and days.date = dates.date
    group by all
),

sums_of_read as (
    select
        sums.*,
        coalesce(incomplete_day_count, period_last - period_first + 1) as incomplete_day_count,
        no_runs,
        if(coalesce(unknown_cost_count, 0) = 0, no_runs, null) as nothing,
        if(coalesce(unknown_platform_count, 0) = 0, nothing, null) as nothing_of_platform,
        if(agent_id = '(platform)', nothing_of_platform, nothing) as nothing_used
    from sums
    left join read using (workspace_id, period_first, period_last)
)

-- Where days were read and no run is unknown, what is not there is 0.
select
    workspace_id,
    agent_id,
    period,
    today,
    yesterday,
    period_first,
    period_last,
    incomplete_day_count,
    incomplete_day_count = 0 as is_whole,
    is_whole and 5 * coalesce(unknown_cost_count, 0) <= coalesce(run_count, 0) as is_covered,
    coalesce(run_count, no_runs) as run_count,
    coalesce(succeeded_count, no_runs) as succeeded_count,
    coalesce(failed_count, no_runs) as failed_count,
    case
        when run_count is null then no_runs
        when unknown_outcome_count = 0 then finished_count
    end as finished_count,
    coalesce(unknown_outcome_count, no_runs) as unknown_outcome_count,
    coalesce(cancelled_count, no_runs) as cancelled_count,
    coalesce(open_count, no_runs) as open_count,
    coalesce(listed_run_count, no_runs) as listed_run_count,
    if(run_count is null, no_runs, unlisted_run_count) as unlisted_run_count,
    if(run_count is null, no_runs, unlisted_failed_count) as unlisted_failed_count,
    coalesce(unknown_cost_count, no_runs) as unknown_cost_count,
    coalesce(no_usage_count, no_runs) as no_usage_count,
    coalesce(cost_usd, nothing_used) as cost_usd,
    coalesce(run_cost_usd, nothing) as run_cost_usd,
    coalesce(platform_cost_usd, nothing_of_platform) as platform_cost_usd,
    coalesce(unknown_platform_count, no_runs) as unknown_platform_count,
    if(
        coalesce(unlisted_run_count, run_count) is null or unlisted_run_count = 0,
        no_runs,
        unlisted_cost_usd
    )::decimal(38, 10) as unlisted_cost_usd,
    if(run_count > 0, tokens_in, coalesce(tokens_in, nothing_used)) as tokens_in,
    if(run_count > 0, tokens_out, coalesce(tokens_out, nothing_used)) as tokens_out,
    coalesce(failed_cost_usd, nothing) as failed_cost_usd,
    coalesce(failed_cost_more_usd, nothing) as failed_cost_more_usd,
    if(failed_cost_open_count > 0, null, coalesce(failed_cost_usd + failed_cost_more_usd, nothing))
        as failed_cost_high_usd,
    coalesce(failed_cost_open_count, no_runs) as failed_cost_open_count
from sums_of_read
order by workspace_id, agent_id, period_first, period
