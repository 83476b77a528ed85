-- Metered cost and bill by UTC day and provider, taken apart: cost + surcharge - own-key cost =
-- billed. The own-key cost is payable to the provider, not to Levain; where the API refuses the
-- workspace's provider keys, it and the surcharge are unknown.
-- Grain: workspace, UTC day and provider.
-- key: workspace_id, utc_date, provider
-- narrow: utc_date
-- ref workspace_id: dim_workspaces
with

bills as (
    select
        workspace_id,
        utc_date,
        provider,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd,
        sum(tokens_in)::bigint as tokens_in,
        sum(tokens_out)::bigint as tokens_out,
        sum(request_count)::bigint as request_count
    from staging.billing_days
    where is_current
    group by all
),

own_keys as (
    select workspace_id, utc_date, provider, sum(own_key_usd) as own_key_usd
    from intermediate.int_own_key_days
    group by all
),

split as (
    select
        bills.*,
        if(days.has_provider_keys is false, null, coalesce(own_keys.own_key_usd, 0)) as own_key_usd
    from bills
    left join own_keys using (workspace_id, utc_date, provider)
    left join intermediate.int_metered_days as days using (workspace_id, utc_date)
)

select
    workspace_id,
    utc_date,
    provider,
    metered_cost_usd,
    billed_usd,
    (billed_usd - metered_cost_usd + own_key_usd)::decimal(38, 10) as surcharge_usd,
    own_key_usd::decimal(38, 10) as own_key_usd,
    tokens_in,
    tokens_out,
    request_count
from split
order by workspace_id, utc_date, provider
