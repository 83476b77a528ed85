-- Every version of each agent that the list of agents has shown. Grain: agent and version.
-- key: version_id
select
    version_id,
    workspace_id,
    agent_id,
    nullif(trim(agent_name), '') as agent_name,
    nullif(trim(agent_slug), '') as agent_slug,
    status,
    max_budget_usd,
    timeout_minutes,
    version_id not in (select version_id from raw.superseded) as is_current,
    seen_at
from raw.agents
