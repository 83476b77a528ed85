-- Listed runs that pages show: of each line and month the 10 most expensive, of this month and the
-- last one the 300 newest and the 20 newest that failed, and of each line the 10 newest of all.
-- Grain: run.
-- key: workspace_id, run_id
-- narrow: run_id
-- column error_message: The first 200 characters of it.
-- column agent_version: Number of the agent's version that ran; -1 without one.
select
    workspace_id,
    agent_id,
    date,
    run_id,
    created_at,
    status,
    kind,
    parent_run_id,
    coalesce(agent_version, -1)::bigint as agent_version,
    trigger_type,
    round(queue_seconds, 3) as queue_seconds,
    round(duration_seconds, 3) as duration_seconds,
    cost_usd,
    tokens_in,
    tokens_out,
    error_class,
    left(error_message, 200) as error_message
from marts.fct_runs
semi join intermediate.int_shown_runs using (workspace_id, run_id)
