-- All runs of a workspace by month, the platform's own activity, the bill taken apart, and what
-- changed after it was first published: the sum of fct_agent_months. Grain: workspace, month.
-- key: workspace_id, month
-- values status: open, incomplete, final, closed
-- sums: fct_agent_months by month; or zero
-- column month: First day of the calendar month.
-- column status: Of the month: open (may change), incomplete (begins unread), final or closed.
-- column is_complete: True once every date of the month is complete.
with

lines as (
    select
        workspace_id,
        month,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd,
        sum(surcharge_usd) as surcharge_usd,
        sum(own_key_usd) as own_key_usd,
        sum(adjusted_run_count)::bigint as adjusted_run_count,
        sum(adjusted_cost_usd) as adjusted_cost_usd
    from marts.fct_agent_months
    group by workspace_id, month
),

measures as (
    select * exclude (scope, agent_id, owner, cost_center, period, starts_on)
    from intermediate.int_measures
    where scope = 'workspace' and period = 'month'
),

-- Without runs there is nothing of a measure, and no failure rate.
filled as (
    select
        if(measures.month is null, 0, columns(measures.* exclude (workspace_id, month))),
        lines.*
    from lines
    left join measures using (workspace_id, month)
)

select
    workspace_id,
    workspaces.workspace_name,
    filled.month,
    coalesce(months.status, 'incomplete') as status,
    filled.* exclude (workspace_id, month) replace (
        if(run_count > 0, failure_rate, null) as failure_rate,
        if(run_count > 0, failure_rate_low, null) as failure_rate_low,
        if(run_count > 0, failure_rate_high, null) as failure_rate_high
    ),
    coalesce(months.is_complete, false) as is_complete
from filled
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_months as months using (workspace_id, month)
order by workspace_id, filled.month
