-- Months with the newest 300 listed runs of a line, and how many of its runs are of later
-- months. Recent are this month and the last one.
-- Grain: workspace, line and month.
-- key: workspace_id, agent_id, month
-- materialized: table
with

months as (
    select
        workspace_id,
        agent_id,
        month,
        sum(listed_run_count) over (
            partition by workspace_id, agent_id order by month desc
        ) - listed_run_count as later_run_count
    from intermediate.int_measures
    where scope = 'agent' and period = 'month' and listed_run_count > 0
),

todays as (
    select
        workspace_id,
        (last_batch_at at time zone getvariable('reporting_timezone'))::date as today
    from ledger.workspaces
)

select
    workspace_id,
    agent_id,
    month,
    later_run_count::bigint as later_run_count,
    coalesce(month >= date_trunc('month', today) - interval 1 month, false) as is_recent
from months
join todays using (workspace_id)
where later_run_count < 300
