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
)

select
    lines.workspace_id,
    workspaces.workspace_name,
    lines.owner,
    lines.cost_center,
    lines.month,
    coalesce(months.status, 'incomplete') as status,
    coalesce(measures.run_count, 0) as run_count,
    coalesce(measures.succeeded_count, 0) as succeeded_count,
    coalesce(measures.failed_count, 0) as failed_count,
    coalesce(measures.cancelled_count, 0) as cancelled_count,
    coalesce(measures.open_count, 0) as open_count,
    measures.failure_rate,
    measures.failure_rate_low,
    measures.failure_rate_high,
    if(measures.month is null, 0, measures.cost_usd) as cost_usd,
    if(measures.month is null, 0, measures.platform_cost_usd) as platform_cost_usd,
    if(measures.month is null, 0, measures.tokens_in) as tokens_in,
    if(measures.month is null, 0, measures.tokens_out) as tokens_out,
    if(measures.month is null, 0, measures.duration_ms) as duration_ms,
    coalesce(measures.listed_run_count, 0) as listed_run_count,
    if(measures.month is null, 0, measures.unlisted_run_count) as unlisted_run_count,
    if(measures.month is null, 0, measures.listed_cost_usd) as listed_cost_usd,
    if(measures.month is null, 0, measures.unlisted_cost_usd) as unlisted_cost_usd,
    if(measures.month is null, 0, measures.failed_cost_usd) as failed_cost_usd,
    if(measures.month is null, 0, measures.failed_cost_high_usd) as failed_cost_high_usd,
    if(measures.month is null, 0, measures.unlisted_failed_count) as unlisted_failed_count,
    coalesce(measures.unknown_cost_count, 0) as unknown_cost_count,
    coalesce(measures.no_usage_count, 0) as no_usage_count,
    lines.metered_cost_usd,
    lines.billed_usd,
    lines.surcharge_usd,
    lines.own_key_usd,
    lines.adjusted_run_count,
    lines.adjusted_cost_usd,
    coalesce(months.is_complete, false) as is_complete
from lines
join marts.dim_workspaces as workspaces using (workspace_id)
left join measures using (workspace_id, owner, cost_center, month)
left join marts.dim_months as months using (workspace_id, month)
order by lines.workspace_id, lines.month, lines.owner, lines.cost_center
