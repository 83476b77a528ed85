-- A table of your own, built by each batch as custom.agent_success_costs: cost of a successful run
-- of each agent. Grain: workspace, agent and month.
-- key: workspace_id, agent_id, month
-- column usd_per_success: Cost of all runs divided by succeeded runs; null where none succeeded.
select
    workspace_id,
    agent_id,
    agent_name,
    month,
    succeeded_count,
    cost_usd,
    marts.usd_per_success(cost_usd, succeeded_count) as usd_per_success
from marts.fct_agent_months
where line_type = 'agent'
