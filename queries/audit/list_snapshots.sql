-- Pulls of the run lists, and the windows in which runs may have been missed.
-- Grain: pull.
-- key: workspace_id, load_id, agent_id, pulled_at
-- column agent_id: The agent whose list was pulled; null for the list of all agents.
-- column row_count: Runs that the pull answered; the API gives at most 200.
select *
from staging.stg_list_snapshots
order by workspace_id, pulled_at
