-- On each day that has ended, the API counts as many runs of an agent as its roll-up sums.
-- control: run counts
-- sources: runs/daily | analytics/agents
select
    workspace_id,
    agent_id,
    utc_date,
    'run_count' as measure,
    api_run_count as ours,
    api_rollup_run_count as theirs,
    null::decimal(38, 10) as difference_usd,
    (api_run_count - api_rollup_run_count)::decimal(38, 10) as difference,
    provisional_count = 0 as is_closed
from intermediate.int_agent_days_vs_api
where
    agent_id <> '(platform)'
    and has_ended
    and api_run_count <> api_rollup_run_count
order by workspace_id, utc_date, agent_id
