-- The cost of this month and of the last one as they add up by day, and the forecast from the last
-- complete day on: a straight line to each of its figures at the month's end. Only where there is a
-- forecast. A day of unknown cost is null, and in no later sum.
-- Grain: workspace or '(all)' (the site), and day of the month.
with

forecasts as (
    select
        * replace (coalesce(cost_to_date_usd, 0) as cost_to_date_usd),
        (month + interval 1 month)::date - month as last_day,
        last_day - days_left as known_day,
        (month - interval 1 month)::date as last_month
    from reports.rpt_forecasts
    where agent_id = '(all)' and expected_usd is not null
),

days as (
    select workspace_id, date, cost_usd
    from reports.rpt_workspace_days
    union all
    select '(all)' as workspace_id, date, sum(cost_usd) as cost_usd
    from reports.rpt_workspace_days
    group by date
),

-- A date that was read and has no figure cost nothing.
costs as (
    select
        workspace_id,
        dates.date,
        if(days.date is null and dates.state <> 'incomplete', 0, days.cost_usd)::decimal(38, 10)
            as cost_usd
    from reports.rpt_dates as dates
    left join days using (workspace_id, date)
),

sums as (
    select
        workspace_id,
        forecasts.month,
        costs.date,
        if(
            costs.cost_usd is null,
            null,
            sum(costs.cost_usd) over (
                partition by workspace_id, date_trunc('month', costs.date) order by costs.date
            )
        ) as cost_usd
    from costs
    join forecasts using (workspace_id)
    where costs.date >= last_month and costs.date < month + known_day::int
),

numbered as (
    select
        *,
        unnest(range(1, 1 + greatest(last_day, month - last_month))) as day_of_month
    from forecasts
),

-- How much of the way from the last complete day to the month's end is gone.
shares as (
    select
        *,
        case
            when day_of_month not between known_day and last_day then null
            when days_left = 0 then 1
            else (day_of_month - known_day) / days_left
        end::decimal(11, 10) as share
    from numbered
)

select
    shares.workspace_id,
    day_of_month,
    this.cost_usd,
    previous.cost_usd as previous_cost_usd,
    (cost_to_date_usd + (low_usd - cost_to_date_usd) * share)::decimal(38, 10) as low_usd,
    (cost_to_date_usd + (expected_usd - cost_to_date_usd) * share)::decimal(38, 10) as expected_usd,
    (cost_to_date_usd + (high_usd - cost_to_date_usd) * share)::decimal(38, 10) as high_usd
from shares
left join sums as this
    on this.workspace_id = shares.workspace_id
    and this.date = shares.month + (day_of_month - 1)::int
left join sums as previous
    on previous.workspace_id = shares.workspace_id
    and previous.date = last_month + (day_of_month - 1)::int
    and previous.date < shares.month
order by shares.workspace_id, day_of_month
