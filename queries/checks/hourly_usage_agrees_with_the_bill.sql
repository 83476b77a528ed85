-- On each UTC day that has ended, a provider's metered hours add up to its billed usage: cost,
-- tokens and requests, as far as both are known.
-- control: bill
-- measure: cost_usd
-- sources: analytics/hourly | analytics/billing
with

-- Lines of either source as the API gives them: their sums in the marts hide what one lacks.
lines as (
    select workspace_id, provider, utc_date, metered_cost_usd, tokens_in, tokens_out, request_count
    from staging.usage_hours
    where is_current
    union all by name
    select workspace_id, provider, utc_date, metered_cost_usd, tokens_in, tokens_out, request_count
    from staging.billing_days
    where is_current
),

figures as (
    select
        workspace_id,
        provider,
        (hour at time zone 'UTC')::date as utc_date,
        metered_cost_usd as metered_usd,
        tokens_in as metered_tokens_in,
        tokens_out as metered_tokens_out,
        request_count as metered_request_count
    from marts.fct_usage_hours
    union all by name
    select workspace_id, provider, utc_date, metered_cost_usd, tokens_in, tokens_out, request_count
    from marts.fct_billing_days
    union all by name
    select
        workspace_id,
        provider,
        utc_date,
        metered_cost_usd is null as lacks_cost,
        tokens_in is null as lacks_tokens_in,
        tokens_out is null as lacks_tokens_out,
        request_count is null as lacks_requests
    from lines
    where metered_cost_usd + tokens_in + tokens_out + request_count is null
),

days as (
    select
        workspace_id,
        provider,
        utc_date,
        unnest(['cost_usd', 'tokens_in', 'tokens_out', 'request_count']) as measure,
        unnest([
            if(bool_or(lacks_cost), null, coalesce(sum(metered_usd), 0)),
            if(bool_or(lacks_tokens_in), null, coalesce(sum(metered_tokens_in), 0)),
            if(bool_or(lacks_tokens_out), null, coalesce(sum(metered_tokens_out), 0)),
            if(bool_or(lacks_requests), null, coalesce(sum(metered_request_count), 0))
        ]::decimal(38, 10)[]) as ours,
        unnest([
            coalesce(sum(metered_cost_usd), 0),
            coalesce(sum(tokens_in), 0),
            coalesce(sum(tokens_out), 0),
            coalesce(sum(request_count), 0)
        ]::decimal(38, 10)[]) as theirs,
        unnest([count(*) * 0.00000000005, 0, 0, 0]) as tolerance
    from figures
    group by workspace_id, provider, utc_date
)

select
    days.workspace_id,
    days.utc_date,
    days.provider,
    days.measure,
    days.ours,
    days.theirs,
    days.tolerance,
    true as is_closed
from days
join intermediate.int_metered_days as metered_days using (workspace_id, utc_date)
where
    days.utc_date < metered_days.last_date
    and metered_days.has_hours
    and metered_days.has_bill
