-- How many runs the API counts for an agent and UTC day, as last read.
-- Grain: agent, UTC day and status.
-- key: version_id
select version_id, workspace_id, agent_id, date as utc_date, status, run_count
from raw.run_counts
anti join raw.superseded using (version_id)
