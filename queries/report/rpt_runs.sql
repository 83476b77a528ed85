-- Listed runs that pages show: of each line and month the 10 most expensive, and of each line the
-- 300 newest of this month and the last one, and the 10 newest of all. Grain: run.
-- key: workspace_id, run_id
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
    error_class
from marts.fct_runs
join reports.rpt_calendars as calendars using (workspace_id)
window newest as (partition by workspace_id, agent_id order by created_at desc, run_id)
qualify
    row_number() over (
        partition by workspace_id, agent_id, date_trunc('month', date)
        order by cost_usd desc nulls last, run_id
    ) <= 10
    or row_number() over newest
    <= if(date >= date_trunc('month', calendars.today) - interval 1 month, 300, 10)
order by workspace_id, agent_id, created_at desc, run_id
