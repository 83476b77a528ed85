-- The periods that headlines compare, of every workspace, of each of its lines and of the site
-- ('(all)', '(all)'), as seen from the day of the last batch. A line without a run in 31 days is
-- seen from the day after them, so that its page rests. A period is covered where every day of it
-- was read whole. Grain: entity and period.
-- key: workspace_id, agent_id, period
-- column period: Name of the period.
-- column today: Day of the last batch in the reporting time zone, on which periods depend.
-- column first_date: First day of the period.
-- column last_date: Last day of the period.
-- column is_covered: True if every day of the period was read whole.
with

todays as (
    select
        workspace_id,
        (last_batch_at at time zone getvariable('reporting_timezone'))::date as today
    from marts.dim_workspaces
    where last_batch_at is not null
),

last_days as (
    select workspace_id, agent_id, max(date) as last_date
    from marts.fct_agent_days
    where run_count > 0 or cost_usd <> 0
    group by all
),

entities as (
    select
        agents.workspace_id,
        agents.agent_id,
        agents.workspace_id as calendar,
        least(todays.today, coalesce(last_days.last_date + 31, todays.today)) as today
    from marts.dim_agents as agents
    join todays using (workspace_id)
    left join last_days
        on last_days.workspace_id = agents.workspace_id and last_days.agent_id = agents.agent_id
    union all
    select workspace_id, '(all)' as agent_id, workspace_id as calendar, today
    from todays
    union all
    select '(all)', '(all)', '(all)', max(today)
    from todays
    having count(*) > 0
),

months as (
    select
        *,
        date_trunc('month', today)::date as month,
        (date_trunc('month', today) - interval 1 month)::date as last_month,
        (date_trunc('month', today) - interval 2 months)::date as month_before,
        least(day(today) - 1, day(last_day(last_month)))::integer as complete_days
    from entities
),

periods as (
    select
        months.*,
        unnest([
            {period: 'yesterday', first_date: today - 1, last_date: today - 1},
            {period: 'month', first_date: month, last_date: today},
            {
                period: 'month_days',
                first_date: month,
                last_date: month + complete_days - 1
            },
            {
                period: 'previous_days',
                first_date: last_month,
                last_date: last_month + complete_days - 1
            },
            {period: 'last_month', first_date: last_month, last_date: last_day(last_month)},
            {period: 'month_before', first_date: month_before, last_date: last_month - 1},
            {period: 'recent', first_date: today - 30, last_date: today - 1},
            {period: 'before_recent', first_date: today - 60, last_date: today - 31},
            {period: 'charted', first_date: today - 91, last_date: today},
            {period: 'week', first_date: today - 7, last_date: today - 1},
            {period: 'week_before', first_date: today - 14, last_date: today - 8}
        ], recursive := true)
    from months
    union all
    select
        months.*,
        'weekday_' || back as period,
        today - (1 + 7 * back)::integer as first_date,
        today - (1 + 7 * back)::integer as last_date
    from months, range(1, 5) as weekdays(back)
    union all
    select
        months.*,
        'trend_' || lpad(back::varchar, 2, '0') as period,
        today - (7 * back)::integer as first_date,
        today - (7 * back - 6)::integer as last_date
    from months, range(1, 14) as weeks(back)
)

select
    periods.workspace_id,
    periods.agent_id,
    periods.period,
    periods.today,
    periods.first_date,
    periods.last_date,
    count(dates.date) filter (dates.state = 'complete')
    = greatest(periods.last_date - periods.first_date + 1, 0) as is_covered
from periods
left join reports.rpt_dates as dates
    on dates.workspace_id = periods.calendar
    and dates.date between periods.first_date and periods.last_date
group by
    periods.workspace_id,
    periods.agent_id,
    periods.period,
    periods.today,
    periods.first_date,
    periods.last_date
order by periods.workspace_id, periods.agent_id, periods.period
