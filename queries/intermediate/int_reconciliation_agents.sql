-- Whose metered cost of a UTC day is unexplained, and what explains the rest. The line '(platform)'
-- is all usage that names no agent. Days that agree are left out.
-- Grain: workspace, UTC day and agent.
-- key: workspace_id, utc_date, agent_id
-- materialized: table
-- narrow: utc_date
select
    workspace_id,
    utc_date,
    agent_id,
    metered_cost_usd::decimal(38, 10) as metered_cost_usd,
    run_cost_usd::decimal(38, 10) as run_cost_usd,
    open_cost_usd::decimal(38, 10) as open_cost_usd,
    platform_cost_usd::decimal(38, 10) as platform_cost_usd,
    unlisted_cost_usd::decimal(38, 10) as unlisted_cost_usd,
    timing_difference_usd,
    unexplained_usd
from intermediate.int_agent_days_vs_api
where unexplained_usd <> 0
order by workspace_id, utc_date, agent_id
