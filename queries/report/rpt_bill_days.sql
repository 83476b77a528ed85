-- Metered cost and bill by line and UTC day: cost + surcharge - own-key cost = billed.
-- Grain: workspace, line and UTC day.
-- key: workspace_id, agent_id, utc_date
-- narrow: utc_date
-- column cost_usd: Metered cost in US dollars at the provider's list price; unknown is in no sum.
select
    workspace_id,
    agent_id,
    utc_date,
    cost_usd,
    surcharge_usd,
    own_key_usd,
    billed_usd
from marts.fct_agent_billing_days
order by workspace_id, agent_id, utc_date
