-- Cost by agent and month
-- page: My pages / Cost by agent
-- chart: bar, x month, y cost_usd, by agent_name
select
    workspace_id,
    agent_id,
    agent_name,
    month,
    cost_usd
from marts.fct_agent_months
