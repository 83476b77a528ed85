-- On each UTC day that has ended, cost and bill by agent add up to those by provider, and each
-- agent's cost is that of its metered hours; of a sum with a line that lacks the amount, nothing is
-- known.
-- control: allocation
-- measure: billed_usd
-- sources: analytics/timeseries/by-agent | analytics/billing, analytics/hourly
with

figures as (
    select workspace_id, utc_date, true as is_by_agent, metered_cost_usd, billed_usd
    from intermediate.int_agent_billing_days
    union all by name
    select workspace_id, utc_date, false as is_by_agent, metered_cost_usd, billed_usd
    from marts.fct_billing_days
),

days as (
    select
        workspace_id,
        utc_date,
        unnest(['cost_usd', 'billed_usd']) as measure,
        unnest([
            coalesce(sum(metered_cost_usd) filter (is_by_agent), 0),
            coalesce(sum(billed_usd) filter (is_by_agent), 0)
        ]) as ours,
        unnest([
            coalesce(sum(metered_cost_usd) filter (not is_by_agent), 0),
            coalesce(sum(billed_usd) filter (not is_by_agent), 0)
        ]) as theirs,
        unnest([count(metered_cost_usd), count(billed_usd)]) = count(*) as is_known,
        count(*) * 0.00000000005 as tolerance
    from figures
    group by workspace_id, utc_date
),

agent_days as (
    select
        workspace_id,
        utc_date,
        agent_id,
        'cost_usd' as measure,
        if(bills.agent_id is null, 0, bills.metered_cost_usd) as ours,
        if(hours.agent_id is null, 0, hours.metered_cost_usd) as theirs,
        true as is_known,
        coalesce(hours.tolerance_usd, 0) + 0.00000000005 as tolerance
    from intermediate.int_agent_billing_days as bills
    full join intermediate.int_agent_days_vs_api as hours using (workspace_id, utc_date, agent_id)
),

compared as (
    from days
    union all by name
    from agent_days
)

select
    compared.workspace_id,
    compared.utc_date,
    compared.agent_id,
    compared.measure,
    compared.ours,
    compared.theirs,
    compared.tolerance,
    true as is_closed
from compared
join intermediate.int_metered_days as metered_days using (workspace_id, utc_date)
where
    compared.is_known
    and compared.utc_date < metered_days.last_date
    and metered_days.has_agent_bill
    and if(compared.agent_id is null, metered_days.has_bill, metered_days.has_hours)
