-- On each day that has ended, the API counts as many runs of an agent as its roll-up sums.
-- control: run counts
-- measure: run_count
-- sources: runs/daily | analytics/agents
select
    workspace_id,
    agent_id,
    utc_date,
    'run_count' as measure,
    api_run_count::decimal(38, 10) as ours,
    api_rollup_run_count::decimal(38, 10) as theirs,
    0 as tolerance,
    provisional_count = 0 as is_closed
from intermediate.int_agent_days_vs_api
where agent_id <> '(platform)' and has_ended
