-- On each day that has ended, cost and bill by agent add up to those by provider.
-- control: allocation
with

figures as (
    select workspace_id, date, cost_usd, billed_usd
    from marts.fct_agent_billing_days
    union all by name
    select workspace_id, date, cost_usd as total_cost_usd, billed_usd as total_billed_usd
    from marts.fct_billing_days
),

days as (
    select
        workspace_id,
        date,
        coalesce(sum(cost_usd), 0) as cost_usd,
        coalesce(sum(total_cost_usd), 0) as total_cost_usd,
        coalesce(sum(billed_usd), 0) as billed_usd,
        coalesce(sum(total_billed_usd), 0) as total_billed_usd,
        count(*) * 0.00000000005 as tolerance_usd
    from figures
    semi join intermediate.int_metered_days using (workspace_id, date)
    group by workspace_id, date
)

select
    workspace_id,
    date,
    cost_usd as ours_usd,
    total_cost_usd as theirs_usd,
    billed_usd,
    total_billed_usd,
    if(
        abs(cost_usd - total_cost_usd) > abs(billed_usd - total_billed_usd),
        cost_usd - total_cost_usd,
        billed_usd - total_billed_usd
    ) as difference_usd,
    true as is_closed
from days
join intermediate.int_metered_days as metered_days using (workspace_id, date)
where
    date < metered_days.last_date
    and greatest(abs(cost_usd - total_cost_usd), abs(billed_usd - total_billed_usd))
    > tolerance_usd
order by workspace_id, date
