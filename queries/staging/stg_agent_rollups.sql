-- The API's own sums by agent and UTC day, as last read. Grain: UTC day and agent.
-- key: version_id
select
    version_id,
    workspace_id,
    date as utc_date,
    agent_id,
    nullif(trim(agent_name), '') as agent_name,
    nullif(trim(agent_slug), '') as agent_slug,
    cost_usd,
    tokens_in,
    tokens_out,
    run_count,
    total_duration_ms,
    last_run_at,
    seen_at
from raw.agent_rollups
anti join raw.superseded using (version_id)
