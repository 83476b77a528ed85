-- All runs of a workspace by month, the platform's own activity, the bill taken apart, and what
-- changed after it was first published: the sum of fct_agent_months. Grain: workspace, month.
-- key: workspace_id, month
-- column month: First day of the calendar month.
-- column status: Of the month: open (may change), incomplete (begins unread), final or closed.
-- column is_complete: True once every date of the month is complete.
with

-- The failure rate with the mix of agents held: a change of it is no change of who ran more.
pairs as (
    select
        workspace_id,
        month,
        before.succeeded_count + before.failed_count as weight,
        now.failure_rate,
        before.failure_rate as rate_before
    from marts.fct_agent_months as now
    join (
        select * replace ((month + interval 1 month)::date as month)
        from marts.fct_agent_months
    ) as before using (workspace_id, agent_id, month)
    where now.failure_rate is not null and before.failure_rate is not null
),

befores as (
    select
        workspace_id,
        (month + interval 1 month)::date as month,
        sum(succeeded_count + failed_count) as finished_count
    from marts.fct_agent_months
    where failure_rate is not null
    group by workspace_id, month
),

held as (
    select
        workspace_id,
        month,
        sum(weight * failure_rate) / sum(weight) as adjusted_failure_rate,
        sum(weight * rate_before) / sum(weight) as compared_failure_rate
    from pairs
    join befores using (workspace_id, month)
    group by workspace_id, month, finished_count
    having 2 * sum(weight) >= finished_count
)

select
    workspace_id,
    workspaces.workspace_name,
    month,
    coalesce(months.status, 'incomplete') as status,
    sums.* exclude (workspace_id, month),
    held.adjusted_failure_rate,
    held.compared_failure_rate,
    coalesce(months.is_complete, false) as is_complete
from roll_up(intermediate.int_agent_owner_months, workspace_id, month) as sums
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_months as months using (workspace_id, month)
left join held using (workspace_id, month)
order by workspace_id, month
