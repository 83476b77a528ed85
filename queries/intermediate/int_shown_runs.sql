-- Listed runs that pages show: of each line and month the 10 most expensive, of this month and the
-- last one the 300 newest and the 20 newest that failed, and of each line the 10 newest of all. Of
-- the 10 most expensive, of those that failed, and of the 50 newest, the log is shown. Grain: run.
-- key: workspace_id, run_id
-- materialized: table
-- narrow: month
-- narrow int_runs: date_trunc('month', date)::date
with

runs as (
    select
        workspace_id,
        agent_id,
        date_trunc('month', date)::date as month,
        run_id,
        created_at,
        cost_usd,
        status = 'failed' as is_failed
    from intermediate.int_runs
),

ranked as (
    select
        workspace_id,
        run_id,
        month,
        is_failed,
        coalesce(is_recent, false) as is_recent,
        row_number() over (
            partition by workspace_id, agent_id, month, is_failed order by created_at desc, run_id
        ) as status_rank,
        row_number() over (
            partition by workspace_id, agent_id, month order by cost_usd desc nulls last, run_id
        ) as cost_rank,
        later_run_count + row_number() over (
            partition by workspace_id, agent_id, month order by created_at desc, run_id
        ) as newest_rank
    from runs
    left join intermediate.int_newest_months using (workspace_id, agent_id, month)
)

select
    workspace_id,
    run_id,
    month,
    coalesce(
        cost_rank <= 10 or newest_rank <= 50
        or (is_recent and is_failed and status_rank <= 20),
        false
    ) as has_log
from ranked
where
    cost_rank <= 10
    or newest_rank <= if(is_recent, 300, 10)
    or (is_recent and is_failed and status_rank <= 20)
