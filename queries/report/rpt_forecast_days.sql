-- Cost of each workspace, and of the site ('(all)'), added up by day of the month: this month to its
-- last complete day, last month, and the forecast from there to the month's end.
-- Grain: workspace and day of the month.
-- key: workspace_id, day_of_month
-- column day_of_month: Day of the month, from 1.
-- column cost_usd: Cost in US dollars of this month up to the day.
-- column previous_cost_usd: Cost in US dollars of last month up to the day.
-- column low_usd: Low end of the 80 % range of the forecast for the day, in US dollars.
-- column expected_usd: Forecast for the day, in US dollars.
-- column high_usd: High end of the range, in US dollars.
with

months as (
    select
        forecasts.workspace_id,
        forecasts.month,
        forecasts.cost_to_date_usd,
        forecasts.low_usd,
        forecasts.expected_usd,
        forecasts.high_usd,
        (forecasts.month - interval 1 month)::date as last_month,
        day(last_day(forecasts.month)) as day_count,
        day(last_day(forecasts.month)) - forecasts.days_left as known_days
    from reports.rpt_forecasts as forecasts
    where forecasts.agent_id = '(all)' and forecasts.expected_usd is not null
),

days as (
    from reports.rpt_workspace_days
    union all by name
    select * replace ('(all)' as workspace_id)
    from reports.rpt_workspace_days
),

numbered as (
    select
        months.*,
        unnest(range(1, greatest(day_count, day(last_day(last_month))) + 1)) as day_of_month
    from months
)

select
    workspace_id,
    day_of_month,
    if(day_of_month <= known_days, (
        select sum(days.cost_usd)
        from days
        where days.workspace_id = numbered.workspace_id
            and days.date between numbered.month
            and numbered.month + (numbered.day_of_month - 1)::integer
    ), null) as cost_usd,
    if(day_of_month <= day(last_day(last_month)), (
        select sum(days.cost_usd)
        from days
        where days.workspace_id = numbered.workspace_id
            and days.date between numbered.last_month
            and numbered.last_month + (numbered.day_of_month - 1)::integer
    ), null) as previous_cost_usd,
    if(
        day_of_month between known_days and day_count,
        cost_to_date_usd + ((low_usd - cost_to_date_usd) * (day_of_month - known_days)
        / greatest(day_count - known_days, 1))::decimal(38, 10), null
    ) as low_usd,
    if(
        day_of_month between known_days and day_count,
        cost_to_date_usd + ((expected_usd - cost_to_date_usd) * (day_of_month - known_days)
        / greatest(day_count - known_days, 1))::decimal(38, 10), null
    ) as expected_usd,
    if(
        day_of_month between known_days and day_count,
        cost_to_date_usd + ((high_usd - cost_to_date_usd) * (day_of_month - known_days)
        / greatest(day_count - known_days, 1))::decimal(38, 10), null
    ) as high_usd
from numbered
order by workspace_id, day_of_month
