-- Schedules of agents as last read, of a cron expression of five fields and a known time zone.
-- Grain: schedule.
-- key: workspace_id, schedule_id
-- ref agent_id: dim_agents
-- column cron_expr: When it fires: minute, hour, day of the month, month, weekday.
-- column timezone: IANA name of the time zone of the expression.
-- column is_on: True unless the schedule is paused.
-- column minute_share: Share of the minutes of a year in which it fires, from 0 to 1: so many of
-- the runs that anything else started are inferred to be of it by chance.
with

spans as (
    from intermediate.int_schedule_spans
    where valid_until is null
),

days as (
    select unnest(range(date '2024-01-01', date '2025-01-01', interval 1 day)) as day
),

firing as (
    select
        workspace_id,
        schedule_id,
        count(*) as day_count
    from spans
    join days
        on
            list_contains(months, month(day))
            and if(
                is_either_day,
                list_contains(days, day(day)) or list_contains(weekdays, dayofweek(day)),
                list_contains(days, day(day)) and list_contains(weekdays, dayofweek(day))
            )
    group by all
)

select
    spans.workspace_id,
    agents.workspace_name,
    spans.schedule_id,
    spans.agent_id,
    agents.agent_slug,
    agents.agent_name,
    spans.cron_expr,
    spans.timezone,
    spans.is_on,
    len(spans.minutes) * len(spans.hours) * coalesce(firing.day_count, 0) / (366 * 1440.0)
        as minute_share
from spans
left join firing using (workspace_id, schedule_id)
left join marts.dim_agents as agents
    on agents.workspace_id = spans.workspace_id and agents.agent_id = spans.agent_id
order by spans.workspace_id, spans.schedule_id
