-- On each UTC day that has ended, cost and bill by agent add up to those by provider, and each
-- agent's cost is that of its metered hours; of a sum with a line that lacks the amount, nothing is
-- known.
-- control: allocation
-- measure: billed_usd
-- sources: analytics/timeseries/by-agent | analytics/billing, analytics/hourly
with

figures as (
    select
        workspace_id,
        utc_date,
        metered_cost_usd as by_agent_usd,
        billed_usd as billed_by_agent_usd,
        metered_cost_usd is null as lacks_cost,
        billed_usd is null as lacks_bill
    from intermediate.int_agent_billing_days
    union all by name
    select
        workspace_id,
        utc_date,
        metered_cost_usd,
        billed_usd,
        metered_cost_usd is null as lacks_cost,
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
        unnest([coalesce(sum(metered_cost_usd), 0), coalesce(sum(billed_usd), 0)]) as theirs,
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
        if(bool_or(lacks_cost), null, coalesce(sum(by_agent_usd), 0)) as ours,
        coalesce(sum(metered_usd), 0) as theirs,
        sum(tolerance_usd) as tolerance
    from (
        select
            workspace_id,
            utc_date,
            agent_id,
            metered_cost_usd as by_agent_usd,
            metered_cost_usd is null as lacks_cost,
            0.00000000005 as tolerance_usd
        from intermediate.int_agent_billing_days
        union all by name
        select
            workspace_id,
            utc_date,
            agent_id,
            metered_cost_usd as metered_usd,
            metered_cost_usd is null as lacks_cost,
            tolerance_usd
        from intermediate.int_agent_days_vs_api
    )
    group by workspace_id, utc_date, agent_id
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
    compared.utc_date < metered_days.last_date
    and metered_days.has_agent_bill
    and if(compared.agent_id is null, metered_days.has_bill, metered_days.has_hours)
