-- Cost and bill by UTC day and line, as last read; what names no agent, platform or unattributed
-- activity, is the line '(platform)'. Grain: UTC day and line.
-- key: version_id
select
    version_id,
    workspace_id,
    date as utc_date,
    coalesce(agent_id, '(platform)') as agent_id,
    cost_usd as metered_cost_usd,
    billed_usd
from raw.agent_billing_days
anti join raw.superseded using (version_id)
