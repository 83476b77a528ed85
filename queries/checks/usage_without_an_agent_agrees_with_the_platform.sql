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
    unnest(['cost_usd', 'tokens_in', 'tokens_out']) as measure,
    -- Cost and tokens of runs with what crossed midnight, as far as that can explain the meter.
    unnest([
        metered_cost_usd - leftover_usd,
        metered_tokens_in - leftover_tokens_in,
        metered_tokens_out - leftover_tokens_out
    ]::decimal(38, 10)[]) as ours,
    unnest([metered_cost_usd, metered_tokens_in, metered_tokens_out]::decimal(38, 10)[]) as theirs,
    unnest([tolerance_usd, 0, 0]) as tolerance,
    provisional_count = 0 as is_closed
from intermediate.int_agent_days_vs_api
where agent_id = '(platform)' and has_ended and listed_open_count = 0 and is_metered
