-- Runs with all that follows from the run itself. Grain: run.
-- key: workspace_id, run_id
select
    *,
    (created_at at time zone getvariable('reporting_timezone'))::date as date,
    (epoch_us(started_at) - epoch_us(created_at)) / 1e6 as queue_seconds,
    (epoch_us(finished_at) - epoch_us(started_at)) / 1e6 as duration_seconds,
    coalesce(
        status = 'succeeded'
        and cost_usd = 0
        and coalesce(tokens_in, 0) = 0
        and coalesce(tokens_out, 0) = 0,
        false
    ) as has_no_usage
from staging.stg_runs
