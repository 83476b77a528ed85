-- Listed runs that pages show: of each line and month the 10 most expensive, and of each line the
-- 300 newest of this month and the last one, and the 10 newest of all. Grain: run.
-- key: workspace_id, run_id
-- narrow: month
-- narrow fct_runs: date_trunc('month', date)::date
-- narrow rpt_runs: date_trunc('month', date)::date
-- column agent_version: Number of the agent's version that ran; -1 without one.
select
    runs.workspace_id,
    runs.agent_id,
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
    error_class
from marts.fct_runs as runs
left join intermediate.int_newest_months as newest
    on newest.workspace_id = runs.workspace_id
    and newest.agent_id = runs.agent_id
    and newest.month = date_trunc('month', runs.date)
qualify
    row_number() over (
        partition by runs.workspace_id, runs.agent_id, date_trunc('month', date)
        order by cost_usd desc nulls last, run_id
    ) <= 10
    or later_run_count + row_number() over (
        partition by runs.workspace_id, runs.agent_id, date_trunc('month', date)
        order by created_at desc, run_id
    ) <= if(is_recent, 300, 10)
