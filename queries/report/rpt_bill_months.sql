-- Cost and bill of each UTC month by provider; an amount is null where that of a day is unknown.
-- Grain: workspace, UTC month and provider.
-- key: workspace_id, month, provider
-- column month: First day of the calendar month in UTC.
select
    workspace_id,
    date_trunc('month', utc_date)::date as month,
    coalesce(provider, '(none)') as provider,
    if(count(cost_usd) = count(*), sum(cost_usd), null) as cost_usd,
    if(count(surcharge_usd) = count(*), sum(surcharge_usd), null) as surcharge_usd,
    if(count(own_key_usd) = count(*), sum(own_key_usd), null) as own_key_usd,
    if(count(billed_usd) = count(*), sum(billed_usd), null) as billed_usd
from marts.fct_billing_days
group by all
order by workspace_id, month, cost_usd desc nulls last, provider
