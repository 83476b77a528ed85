-- Metered cost and what is billed for it, by UTC day and agent; a null agent is platform or
-- unattributed activity. A run has no bill of its own: this is as fine as the API tells.
-- Grain: workspace, UTC day and agent.
-- key: workspace_id, date, agent_id
-- column date: Calendar day in UTC, of the model request.
select
    workspace_id,
    date,
    agent_id,
    sum(cost_usd) as cost_usd,
    sum(billed_usd) as billed_usd,
    sum(cost_usd) - sum(billed_usd) as not_billed_usd
from staging.stg_agent_billing_days
group by workspace_id, date, agent_id
order by workspace_id, date, agent_id
