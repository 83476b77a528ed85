-- On each UTC day that has ended, a provider's metered hours add up to its billed usage: cost,
-- tokens and requests, as far as both are known.
-- control: bill
-- measure: cost_usd
-- sources: analytics/hourly | analytics/billing
with

figures as (
    select
        workspace_id,
        provider,
        utc_date,
        is_metered,
        unnest(['cost_usd', 'tokens_in', 'tokens_out', 'request_count']) as measure,
        unnest([metered_cost_usd, tokens_in, tokens_out, request_count]::decimal(38, 10)[])
            as amount
    from (
        select *, true as is_metered
        from staging.usage_hours
        union all by name
        select *, false as is_metered
        from staging.billing_days
    )
    where is_current
),

-- Of a sum with a line that lacks the amount, nothing is known.
days as (
    select
        workspace_id,
        provider,
        utc_date,
        measure,
        sum(amount) filter (is_metered) as ours,
        sum(amount) filter (not is_metered) as theirs,
        count(amount) = count(*) as is_known,
        if(measure = 'cost_usd', count(*) * 0.00000000005, 0) as tolerance
    from figures
    group by workspace_id, provider, utc_date, measure
)

select
    days.workspace_id,
    days.utc_date,
    days.provider,
    days.measure,
    coalesce(days.ours, 0) as ours,
    coalesce(days.theirs, 0) as theirs,
    days.tolerance,
    true as is_closed
from days
join intermediate.int_metered_days as metered_days using (workspace_id, utc_date)
where
    days.is_known
    and days.utc_date < metered_days.last_date
    and metered_days.has_hours
    and metered_days.has_bill
