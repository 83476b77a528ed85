-- Listed runs that pages show: of each line and month the 10 newest and the 10 most expensive, of
-- this month and the last one the 300 newest and the 20 newest that failed. The log is shown of the
-- most expensive, of those that failed, and of the 25 newest of this month and the last one.
-- Grain: run.
-- key: workspace_id, run_id
-- narrow: month
-- narrow rpt_runs: date_trunc('month', date)::date
-- narrow fct_runs: date_trunc('month', date)::date
-- column error_message: The first 200 characters of it.
-- column agent_version: Number of the agent's version that ran; -1 without one.
with

months as (
    select workspace_id, month, is_recent
    from marts.dim_months
),

ranked as (
    select
        workspace_id,
        run_id,
        coalesce(is_recent, false) as is_recent,
        row_number() over (
            partition by workspace_id, agent_id, month order by created_at desc, run_id
        ) as newest_rank,
        row_number() over (
            partition by workspace_id, agent_id, month order by cost_usd desc nulls last, run_id
        ) as cost_rank,
        if(
            is_recent and status = 'failed',
            row_number() over (
                partition by workspace_id, agent_id, month, status order by created_at desc, run_id
            ),
            null
        ) as failed_rank
    from (
        select
            workspace_id, agent_id, run_id, created_at, cost_usd, status,
            date_trunc('month', date)::date as month
        from marts.fct_runs
    )
    left join months using (workspace_id, month)
),

shown as (
    select
        workspace_id,
        run_id,
        cost_rank <= 10
        or (is_recent and newest_rank <= 25)
        or coalesce(failed_rank <= 20, false) as has_log
    from ranked
    where has_log or newest_rank <= if(is_recent, 300, 10)
)

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
    if(trigger_type = 'unknown', 'not reported', trigger_type) as trigger_type,
    round(queue_seconds, 3) as queue_seconds,
    round(duration_seconds, 3) as duration_seconds,
    cost_usd,
    tokens_in,
    tokens_out,
    error_class,
    left(error_message, 200) as error_message,
    has_log
from marts.fct_runs
join shown using (workspace_id, run_id)
