-- Every run names no agent, or one of dim_agents.
select workspace_id, agent_id, date, run_id
from marts.fct_runs
anti join marts.dim_agents using (workspace_id, agent_id)
where agent_id is not null
