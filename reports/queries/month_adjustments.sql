-- Adjustments of closed months: of an earlier month those that a month books, and of the month
-- itself those that a later one books.
-- Grain: workspace or '(all)', month, the other month, agent, cost center and cause.
with

adjustments as (
    select *, booked_month as month, strftime(usage_month, 'of %B %Y') as which
    from marts.fct_period_adjustments
    union all by name
    select *, usage_month as month, strftime(booked_month, 'booked in %B %Y') as which
    from marts.fct_period_adjustments
)

select
    if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
    month,
    which,
    agent_name,
    cost_center,
    cause,
    sum(difference_billed_usd)::decimal(38, 10) as difference_billed_usd
from adjustments
group by grouping sets (
    (workspace_id, month, which, agent_name, cost_center, cause),
    (month, which, agent_name, cost_center, cause)
)
