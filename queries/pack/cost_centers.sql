-- The bill of a month by cost center: of its own agents, and its parts of what is shared.
select
    cost_center,
    sum(billed_usd)::decimal(38, 10) as billed_usd,
    if(bool_or(source = 'direct'), sum(billed_usd) filter (source = 'direct'), 0)::decimal(38, 10)
        as direct_usd,
    if(bool_or(source <> 'direct'), sum(billed_usd) filter (source <> 'direct'), 0)::decimal(38, 10)
        as shared_usd,
    sum(metered_cost_usd)::decimal(38, 10) as metered_cost_usd
from marts.fct_allocations
where usage_month = $month::date
group by cost_center
order by billed_usd desc, cost_center
