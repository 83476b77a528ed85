-- Runs with the columns that follow from the run itself. A run without an agent has the agent
-- '(none)'. Grain: run.
-- key: workspace_id, run_id
select
    * exclude (version_id, record_hash, superseded_by_load_id, is_current)
    replace (coalesce(agent_id, '(none)') as agent_id),
    coalesce(status in ('succeeded', 'failed', 'cancelled'), false) as is_terminal,
    (epoch_us(started_at) - epoch_us(created_at)) / 1e6 as queue_seconds,
    (epoch_us(finished_at) - epoch_us(started_at)) / 1e6 as duration_seconds,
    (epoch_us(finished_at) - epoch_us(started_at)) // 1000 as duration_ms,
    coalesce(
        status = 'succeeded'
        and cost_usd = 0
        and coalesce(tokens_in, 0) = 0
        and coalesce(tokens_out, 0) = 0,
        false
    ) as has_no_usage
from staging.runs
where is_current
