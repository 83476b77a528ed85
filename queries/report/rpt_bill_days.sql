-- Metered cost and bill by line and UTC day: cost + surcharge - own-key cost = billed;
-- both are unknown where the API refuses the workspace's provider keys.
-- Grain: workspace, line and UTC day.
-- key: workspace_id, agent_id, utc_date
-- narrow: utc_date
-- column unknown_part_count: 1 where both are unknown, else 0.
-- column unknown_bill_count: 1 where the API gives the line without a billed amount, else 0.
-- column cost_usd: Metered cost in US dollars at the provider's list price; unknown is in no sum.
select
    workspace_id,
    agent_id,
    utc_date,
    metered_cost_usd as cost_usd,
    if(days.has_provider_keys is false, null, surcharge_usd) as surcharge_usd,
    if(days.has_provider_keys is false, null, own_key_usd) as own_key_usd,
    billed_usd,
    (days.has_provider_keys is false)::bigint as unknown_part_count,
    (billed_usd is null)::bigint as unknown_bill_count
from intermediate.int_agent_billing_days
left join intermediate.int_metered_days as days using (workspace_id, utc_date)
order by workspace_id, agent_id, utc_date
