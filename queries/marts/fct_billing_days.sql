-- Metered cost and what is billed for it, by UTC day.
-- Grain: workspace, UTC day and provider.
-- key: workspace_id, date, provider
-- column date: Calendar day in UTC, of the model request.
select
    workspace_id,
    date,
    provider,
    sum(cost_usd) as cost_usd,
    sum(billed_usd) as billed_usd,
    sum(cost_usd) - sum(billed_usd) as not_billed_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(request_count)::bigint as request_count
from staging.stg_billing_days
group by workspace_id, date, provider
order by workspace_id, date, provider
