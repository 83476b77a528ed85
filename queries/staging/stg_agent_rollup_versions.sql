-- Every version of the API's own sums by agent and UTC day. Grain: agent, UTC day and version.
-- key: version_id
select
    version_id,
    workspace_id,
    date as utc_date,
    agent_id,
    cost_usd,
    tokens_in,
    tokens_out,
    seen_at
from raw.agent_rollups
