-- The measures of each period that is compared, of each line, of each workspace (agent '(all)') and
-- of the site (both '(all)'). An agent whose last run is more than 91 days old rests: its today is
-- the 91st day after that run, so that its periods do not move. `recent` are the last 28 days that
-- are over, `previous` the 28 before: the same weekdays.
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

spans as (
    select
        *,
        unnest([
            {period: 'yesterday', period_first: yesterday, period_last: yesterday},
            {period: 'recent', period_first: yesterday - 27, period_last: yesterday},
            {period: 'previous', period_first: yesterday - 55, period_last: yesterday - 28},
            {period: 'month', period_first: date_trunc('month', today)::date, period_last: today},
            {period: 'charted', period_first: today - 91, period_last: today},
            {
                period: 'all',
                period_first: (select min(date) from marts.dim_dates),
                period_last: today
            }
        ], recursive := true)
    from entities
),

periods as (
    from spans
    where period_first <= period_last
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

-- Of days, lines or workspaces of which some are unknown, a sum of 0 is unknown. A line's day is a
-- row already: to group these again takes four times as long.
days as (
    select
        workspace_id,
        agent_id,
        date,
        run_count is not null and unlisted_run_count is null as lacks_unlisted,
        run_count is not null and unlisted_failed_count is null as lacks_unlisted_failed,
        columns('_count$|^tokens_|_usd$')
    from reports.rpt_days
    union all by name
    select
        coalesce(workspace_id, '(all)') as workspace_id,
        '(all)' as agent_id,
        date,
        count(run_count) > count(unlisted_run_count) as lacks_unlisted,
        count(run_count) > count(unlisted_failed_count) as lacks_unlisted_failed,
        sum(columns('_count$|^tokens_'))::bigint as '\0',
        sum(columns('_usd$')) as '\0'
    from reports.rpt_days
    group by grouping sets ((workspace_id, date), (date))
),

sums as (
    select
        periods.* exclude (first_date),
        bool_or(lacks_unlisted) as lacks_unlisted,
        bool_or(lacks_unlisted_failed) as lacks_unlisted_failed,
        sum(columns('_count$|^tokens_'))::bigint as '\0',
        sum(columns('_usd$')) as '\0'
    from periods
    left join days
        on days.workspace_id = periods.workspace_id
        and days.agent_id = periods.agent_id
        and days.date between period_first and period_last
        and period_last >= first_date
    group by all
),

sums_of_read as (
    select
        sums.* replace (
            nullif(unlisted_run_count, if(lacks_unlisted, 0, null)) as unlisted_run_count,
            nullif(unlisted_failed_count, if(lacks_unlisted_failed, 0, null))
                as unlisted_failed_count
        ),
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
    incomplete_day_count = 0
    and 5 * coalesce(unknown_cost_count, 0) <= coalesce(run_count, 0) as is_covered,
    coalesce(
        columns('^(run|listed_run|succeeded|failed|unknown_\w+|failed_cost_open)_count$'), no_runs
    ) as '\0',
    case
        when run_count is null then no_runs
        when unknown_outcome_count = 0 then finished_count
    end as finished_count,
    if(run_count is null, no_runs, unlisted_run_count) as unlisted_run_count,
    if(run_count is null, no_runs, unlisted_failed_count) as unlisted_failed_count,
    coalesce(cost_usd, nothing_used) as cost_usd,
    coalesce(platform_cost_usd, nothing_of_platform) as platform_cost_usd,
    if(
        coalesce(unlisted_run_count, run_count) is null or unlisted_run_count = 0,
        no_runs,
        unlisted_cost_usd
    )::decimal(38, 10) as unlisted_cost_usd,
    if(run_count > 0, tokens_in, coalesce(tokens_in, nothing_used)) as tokens_in,
    if(run_count > 0, tokens_out, coalesce(tokens_out, nothing_used)) as tokens_out,
    coalesce(columns('^failed_cost_(more_)?usd$'), nothing) as '\0',
    if(
        lacks_unlisted_failed or failed_cost_open_count > 0,
        null,
        coalesce(failed_cost_likely_usd, nothing)
    ) as failed_cost_likely_usd,
    if(failed_cost_open_count > 0, null, coalesce(failed_cost_usd + failed_cost_more_usd, nothing))
        as failed_cost_high_usd
from sums_of_read
