-- Activity of the platform's own agents by UTC day, as last read.
-- Grain: UTC day and platform agent.
-- key: version_id
select
    version_id,
    workspace_id,
    date as utc_date,
    platform_agent_id,
    platform_agent_slug,
    platform_agent_name,
    run_count,
    cost_usd,
    billed_usd,
    tokens_in,
    tokens_out
from raw.platform_rollups
anti join raw.superseded using (version_id)
