-- Metered usage that names no agent costs what the platform's own runs and the listed runs without
-- an agent cost; days on which a platform run crossed midnight may differ, and add up to nothing.
-- control: platform
-- sources: analytics/platform-agents, runs | analytics/hourly
select
    workspace_id,
    agent_id,
    utc_date,
    'cost_usd' as measure,
    rolled_up_cost_usd as ours,
    metered_cost_usd as theirs,
    unexplained_usd as difference_usd,
    metered_cost_usd as theirs_usd,
    listed_open_count + provisional_count = 0 as is_closed
from intermediate.int_agent_days_vs_api
where
    agent_id = '(platform)'
    and has_ended
    and listed_open_count = 0
    and is_metered
    and abs(unexplained_usd) > tolerance_usd
order by workspace_id, utc_date
