-- On each UTC day that has ended, a provider's metered hours add up to its billed usage: cost,
-- tokens and requests, as far as both are known.
-- control: bill
-- measure: cost_usd
-- sources: analytics/hourly | analytics/billing
with

figures as (
    select workspace_id, provider, utc_date, true as is_metered,
        metered_cost_usd, tokens_in, tokens_out, request_count
    from staging.usage_hours
    where is_current
    union all by name
    select workspace_id, provider, utc_date, false as is_metered,
        metered_cost_usd, tokens_in, tokens_out, request_count
    from staging.billing_days
    where is_current
),

-- Of a sum with a line that lacks the amount, nothing is known.
days as (
    select
        workspace_id,
        provider,
        utc_date,
        unnest(['cost_usd', 'tokens_in', 'tokens_out', 'request_count']) as measure,
        unnest([
            sum(metered_cost_usd) filter (is_metered),
            sum(tokens_in) filter (is_metered),
            sum(tokens_out) filter (is_metered),
            sum(request_count) filter (is_metered)
        ]::decimal(38, 10)[]) as ours,
        unnest([
            sum(metered_cost_usd) filter (not is_metered),
            sum(tokens_in) filter (not is_metered),
            sum(tokens_out) filter (not is_metered),
            sum(request_count) filter (not is_metered)
        ]::decimal(38, 10)[]) as theirs,
        unnest([
            count(metered_cost_usd), count(tokens_in), count(tokens_out), count(request_count)
        ]) = count(*) as is_known,
        unnest([count(*) * 0.00000000005, 0, 0, 0]) as tolerance
    from figures
    group by workspace_id, provider, utc_date
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
