-- What the API sums for an agent's day is the cost of its runs: ended, open and hidden ones.
-- control: accuracy
select
    agents.workspace_id,
    agents.agent_id,
    agents.date,
    agents.run_cost_usd + agents.open_cost_usd + agents.gap_cost_usd as ours_usd,
    agents.cost_usd as theirs_usd,
    agents.unexplained_usd as difference_usd,
    true as is_closed
from audit.reconciliation_agents as agents
join audit.reconciliation_days as days using (workspace_id, date)
join intermediate.int_agent_days_compared as compared
    using (workspace_id, date, agent_id)
where days.status <> 'open'
    and abs(agents.unexplained_usd) > compared.tolerance_usd
order by agents.workspace_id, agents.date, agents.agent_id
