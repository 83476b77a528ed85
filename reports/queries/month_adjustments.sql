-- Adjustments of earlier, closed months that a month books.
-- Grain: workspace or '(all)', month, the month of the usage, agent, cost center and cause.
select
    if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
    booked_month as month,
    agent_name,
    strftime(usage_month, '%b %Y') as usage_of,
    cost_center,
    cause,
    sum(difference_billed_usd)::decimal(38, 10) as difference_billed_usd
from marts.fct_period_adjustments
group by grouping sets (
    (workspace_id, booked_month, usage_month, agent_name, cost_center, cause),
    (booked_month, usage_month, agent_name, cost_center, cause)
)
