-- The bill of a month by cost center: of its own agents, and its parts of what is shared.
select
    strftime(month, '%Y-%m') as month,
    cost_center,
    sum(billed_usd)::decimal(38, 10) as billed_usd,
    coalesce(sum(billed_usd) filter (source = 'direct'), 0)::decimal(38, 10) as direct_usd,
    coalesce(sum(billed_usd) filter (source <> 'direct'), 0)::decimal(38, 10) as shared_usd,
    sum(cost_usd)::decimal(38, 10) as metered_cost_usd
from marts.fct_allocations
where month = $month::date and list_contains($workspace_ids, workspace_id)
group by all
order by billed_usd desc, cost_center
