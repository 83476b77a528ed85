-- Runs that the platform made for the workspace (builds, checks, upkeep); they are in no other
-- run table.
-- Grain: workspace, UTC day and platform agent.
-- key: workspace_id, utc_date, platform_agent_id
-- narrow: utc_date
-- ref workspace_id: dim_workspaces
-- conserves: raw.platform_rollups by date as utc_date; platform_agent_id
-- column run_count: Runs of the platform agent that day.
-- column utc_date: Calendar day in UTC, of the run's creation.
select
    workspace_id,
    utc_date,
    platform_agent_id,
    max(platform_agent_slug) as platform_agent_slug,
    max(platform_agent_name) as platform_agent_name,
    sum(run_count)::bigint as run_count,
    sum(cost_usd) as cost_usd,
    sum(billed_usd) as billed_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out
from staging.stg_platform_rollups
group by workspace_id, utc_date, platform_agent_id
order by workspace_id, utc_date, platform_agent_id
