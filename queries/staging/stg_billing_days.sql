-- Cost and bill by UTC day, as last read. Grain: UTC day and provider.
-- key: version_id
select
    version_id,
    workspace_id,
    date as utc_date,
    provider,
    cost_usd as metered_cost_usd,
    billed_usd,
    tokens_in,
    tokens_out,
    request_count
from raw.billing_days
anti join raw.superseded using (version_id)
