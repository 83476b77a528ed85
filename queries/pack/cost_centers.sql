-- The bill of a month by cost center: of its own agents, and its parts of what is shared.
select
    strftime(month, '%Y-%m') as month,
    cost_center,
    sum(billed_usd) as billed_usd,
    sum(direct_usd) as direct_usd,
    sum(shared_usd) as shared_usd,
    sum(metered_cost_usd) as metered_cost_usd
from reports.rpt_cost_centers
where month = $month::date and list_contains($workspace_ids, workspace_id)
group by all
order by billed_usd desc, cost_center
