-- On each UTC day that has ended, cost and bill by agent add up to those by provider; of a day with
-- a line that lacks the amount, nothing is known.
-- control: allocation
-- sources: analytics/timeseries/by-agent | analytics/billing
with

figures as (
    select
        workspace_id,
        utc_date,
        cost_usd as by_agent_usd,
        billed_usd as billed_by_agent_usd,
        cost_usd is null as lacks_cost,
        billed_usd is null as lacks_bill
    from marts.fct_agent_billing_days
    union all by name
    select
        workspace_id,
        utc_date,
        cost_usd,
        billed_usd,
        cost_usd is null as lacks_cost,
        billed_usd is null as lacks_bill
    from marts.fct_billing_days
),

days as (
    select
        workspace_id,
        utc_date,
        unnest(['cost_usd', 'billed_usd']) as measure,
        unnest([
            if(bool_or(lacks_cost), null, coalesce(sum(by_agent_usd), 0)),
            if(bool_or(lacks_bill), null, coalesce(sum(billed_by_agent_usd), 0))
        ]) as ours,
        unnest([coalesce(sum(cost_usd), 0), coalesce(sum(billed_usd), 0)]) as theirs,
        count(*) * 0.00000000005 as tolerance
    from figures
    group by workspace_id, utc_date
)

select
    days.workspace_id,
    days.utc_date,
    days.measure,
    days.ours,
    days.theirs,
    days.ours - days.theirs as difference_usd,
    days.theirs as theirs_usd,
    true as is_closed
from days
join intermediate.int_metered_days as metered_days using (workspace_id, utc_date)
where
    days.utc_date < metered_days.last_date
    and metered_days.has_agent_bill
    and metered_days.has_bill
    and abs(days.ours - days.theirs) > days.tolerance
order by days.workspace_id, days.utc_date, days.measure
