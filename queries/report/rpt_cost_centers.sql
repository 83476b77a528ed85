-- The bill of each month by cost center, after what is shared has been allocated.
-- Grain: workspace, month and cost center.
-- key: workspace_id, month, cost_center
-- column month: First day of the UTC month of the usage.
-- column cost_center: Cost center that bears the bill; '(not allocated)' where no rule names one.
-- column direct_usd: Part of the bill in US dollars for agents of the cost center itself.
-- column shared_usd: Part of the bill in US dollars that a rule of finance/allocation.toml shared,
-- or that no rule did.
-- column billed_usd: Billed in US dollars: both parts. An amount of which nothing is known is null.
-- column metered_cost_usd: Metered cost in US dollars.
select
    workspace_id,
    usage_month as month,
    cost_center,
    if(bool_or(source = 'direct'), sum(billed_usd) filter (source = 'direct'), 0)::decimal(38, 10)
        as direct_usd,
    if(bool_or(source <> 'direct'), sum(billed_usd) filter (source <> 'direct'), 0)::decimal(38, 10)
        as shared_usd,
    sum(billed_usd)::decimal(38, 10) as billed_usd,
    sum(metered_cost_usd)::decimal(38, 10) as metered_cost_usd
from marts.fct_allocations
group by all
order by workspace_id, month, cost_center
