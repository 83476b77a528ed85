-- Cost and bill by UTC day and agent, as last read; no agent means platform or unattributed
-- activity. Grain: UTC day and agent.
-- key: version_id
select version_id, workspace_id, date as utc_date, agent_id, cost_usd, billed_usd
from raw.agent_billing_days
anti join raw.superseded using (version_id)
