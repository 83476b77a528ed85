-- More than a quarter of an agent's runs failed
-- key: workspace_id, agent_id, date
-- severity: warning
select
    days.workspace_id,
    days.agent_id,
    days.agent_name,
    days.date,
    days.failed_count,
    days.run_count,
    days.failed_cost_usd
from marts.fct_agent_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
where
    -- A batch that was missed is made up for: a finding is sent once.
    days.date between workspaces.last_complete_date - 2 and workspaces.last_complete_date
    and days.run_count >= 20
    and days.failure_rate > 0.25
