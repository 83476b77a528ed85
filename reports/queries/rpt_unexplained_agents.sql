-- Whose cost is unexplained on UTC days that are over and not reconciled. Grain: line and UTC day.
select
    agents.workspace_id,
    agents.utc_date,
    agents.agent_id,
    days.status,
    agents.metered_cost_usd,
    agents.run_cost_usd,
    agents.open_cost_usd,
    agents.platform_cost_usd,
    agents.unlisted_cost_usd,
    agents.timing_difference_usd,
    agents.unexplained_usd
from intermediate.int_reconciliation_agents as agents
join audit.reconciliation_days as days using (workspace_id, utc_date)
where days.status in ('unreconciled', 'pending')
order by
    agents.workspace_id, agents.utc_date desc, abs(agents.unexplained_usd) desc, agents.agent_id
