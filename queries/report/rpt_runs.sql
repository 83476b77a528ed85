-- Listed runs that pages show: of each line and month the 300 newest and the 10 most expensive.
-- Grain: run.
-- key: workspace_id, run_id
-- column newest_rank: Place among the line's runs of the month, 1 is the newest.
-- column cost_rank: Place among the line's runs of the month, 1 is the most expensive.
select
    workspace_id,
    run_id,
    agent_id,
    date,
    created_at,
    status,
    kind,
    parent_run_id,
    session_id,
    coalesce(agent_version, -1) as agent_version,
    trigger_type,
    round(queue_seconds, 3) as queue_seconds,
    round(duration_seconds, 3) as duration_seconds,
    cost_usd,
    tokens_in,
    tokens_out,
    error_class,
    row_number() over (of_month order by created_at desc, run_id) as newest_rank,
    row_number() over (of_month order by cost_usd desc nulls last, run_id) as cost_rank
from marts.fct_runs
window of_month as (partition by workspace_id, agent_id, date_trunc('month', date))
qualify newest_rank <= 300 or cost_rank <= 10
order by workspace_id, agent_id, created_at desc, run_id
