-- Listed runs that pages show: of each line and month the 10 most expensive and the 10 newest, of
-- this month and the last one the 300 newest. Grain: run.
-- key: workspace_id, run_id
-- column newest_rank: Place of the run in its line and month, from the newest, from 1.
-- column cost_rank: Place of the run in its line and month, from the most expensive, from 1.
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
    session_id,
    coalesce(agent_version, -1)::bigint as agent_version,
    trigger_type,
    round(queue_seconds, 3) as queue_seconds,
    round(duration_seconds, 3) as duration_seconds,
    cost_usd,
    tokens_in,
    tokens_out,
    error_class,
    row_number() over newest as newest_rank,
    row_number() over (
        partition by workspace_id, agent_id, date_trunc('month', date)
        order by cost_usd desc nulls last, run_id
    ) as cost_rank
from marts.fct_runs
join reports.rpt_calendars as calendars using (workspace_id)
window newest as (
    partition by workspace_id, agent_id, date_trunc('month', date)
    order by created_at desc, run_id
)
qualify
    cost_rank <= 10
    or newest_rank
    <= if(date >= date_trunc('month', calendars.today) - interval 1 month, 300, 10)
order by workspace_id, agent_id, created_at desc, run_id
