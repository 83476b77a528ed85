-- On each day that has ended, the metered hours add up to the billed days' cost.
-- control: accuracy
with

figures as (
    select workspace_id, (hour at time zone 'UTC')::date as date, cost_usd as metered_cost_usd
    from marts.fct_usage_hours
    union all by name
    select workspace_id, date, cost_usd
    from marts.fct_billing_days
),

days as (
    select
        workspace_id,
        date,
        coalesce(sum(metered_cost_usd), 0) as metered_cost_usd,
        coalesce(sum(cost_usd), 0) as cost_usd,
        count(*) * 0.00000000005 as tolerance_usd
    from figures
    group by workspace_id, date
)

select
    days.workspace_id,
    days.date,
    days.metered_cost_usd as ours_usd,
    days.cost_usd as theirs_usd,
    days.metered_cost_usd - days.cost_usd as difference_usd,
    true as is_closed
from days
join intermediate.int_metered_days as metered_days using (workspace_id, date)
where
    days.date < metered_days.last_date
    and abs(days.metered_cost_usd - days.cost_usd) > days.tolerance_usd
order by days.workspace_id, days.date
