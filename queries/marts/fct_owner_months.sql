-- A month by owner and cost center, as finance books it: all runs, the bill taken apart, and what
-- changed after it was first published. What no rule of finance/owners.csv matches is the line
-- '(none)', so that the lines of a workspace add up to fct_workspace_months.
-- Grain: workspace, owner, cost center and month.
-- key: workspace_id, owner, cost_center, month
-- conserves: marts.fct_agent_owner_months by owner; cost_center; month
-- sums: fct_workspace_months by month
-- values status: open, incomplete, final, closed
-- column month: First day of the calendar month.
-- column status: Of the month: open (may change), incomplete (begins unread), final or closed.
-- column is_complete: True once every date of the month is complete.
with

lines as (
    select
        workspace_id,
        owner,
        cost_center,
        month,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd,
        sum(surcharge_usd) as surcharge_usd,
        sum(own_key_usd) as own_key_usd,
        sum(adjusted_run_count)::bigint as adjusted_run_count,
        sum(adjusted_cost_usd) as adjusted_cost_usd
    from marts.fct_agent_owner_months
    group by all
),

measures as (
    select * exclude (scope, agent_id, period, starts_on)
    from intermediate.int_measures
    where scope = 'owner' and period = 'month'
),

-- Without runs there is nothing of a measure, and no failure rate.
filled as (
    select
        if(measures.month is null, 0, columns(measures.* exclude (
            workspace_id, owner, cost_center, month
        ))),
        lines.*
    from lines
    left join measures using (workspace_id, owner, cost_center, month)
)

select
    workspace_id,
    workspaces.workspace_name,
    filled.owner,
    filled.cost_center,
    filled.month,
    coalesce(months.status, 'incomplete') as status,
    filled.* exclude (workspace_id, owner, cost_center, month) replace (
        if(run_count > 0, failure_rate, null) as failure_rate,
        if(run_count > 0, failure_rate_low, null) as failure_rate_low,
        if(run_count > 0, failure_rate_high, null) as failure_rate_high
    ),
    coalesce(months.is_complete, false) as is_complete
from filled
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_months as months using (workspace_id, month)
order by workspace_id, filled.month, filled.owner, filled.cost_center
