-- The bill of each month by cost center, after what is shared has been allocated.
-- Grain: workspace or '(all)', month and cost center.
select
    if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
    usage_month as month,
    cost_center,
    if(bool_or(source = 'direct'), sum(billed_usd) filter (source = 'direct'), 0)::decimal(38, 10)
        as direct_usd,
    if(bool_or(source <> 'direct'), sum(billed_usd) filter (source <> 'direct'), 0)::decimal(38, 10)
        as shared_usd,
    sum(billed_usd)::decimal(38, 10) as billed_usd
from marts.fct_allocations
group by grouping sets ((workspace_id, month, cost_center), (month, cost_center))
