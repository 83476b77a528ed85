-- From when on each agent's runs were counted by the API. Grain: agent.
-- key: workspace_id, agent_id
select
    workspace_id,
    agent_id,
    min(window_start) as first_date
from staging.stg_requests
where source = 'run_counts' and status = 200
group by workspace_id, agent_id
