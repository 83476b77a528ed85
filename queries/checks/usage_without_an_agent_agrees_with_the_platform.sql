-- Metered usage that names no agent costs what the platform's own runs and the listed runs without
-- an agent cost, and has as many tokens, as far as all are known; days on which a platform run
-- crossed midnight may differ, and add up to nothing.
-- control: platform
-- measure: cost_usd
-- sources: analytics/platform-agents, runs | analytics/hourly
select
    workspace_id,
    agent_id,
    utc_date,
    measure,
    -- Cost and tokens of runs with what crossed midnight, as far as that can explain the meter.
    cut_off.metered - leftover as ours,
    cut_off.metered as theirs,
    if(measure = 'cost_usd', tolerance_usd, 0) as tolerance,
    provisional_count = 0 as is_closed
from intermediate.int_cut_off as cut_off
join intermediate.int_agent_day_sums using (workspace_id, agent_id, utc_date)
where agent_id = '(platform)' and listed_open_count = 0 and is_metered
