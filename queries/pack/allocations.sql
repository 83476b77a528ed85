-- Charges of a month by the cost centers that bear them, each with the line that it is a part of.
select
    strftime(month, '%Y-%m') as month,
    workspace_name,
    allocations.line_cost_center,
    allocations.cost_center,
    source,
    rule,
    agent_name,
    billed_usd,
    allocations.cost_usd as metered_cost_usd,
    workspace_id,
    agent_id
from marts.fct_allocations as allocations
join marts.dim_workspaces using (workspace_id)
left join marts.dim_agents using (workspace_id, agent_id)
where month = $month::date and list_contains($workspace_ids, workspace_id)
order by
    workspace_name, workspace_id, allocations.cost_center, source, rule, agent_name, agent_id,
    line_cost_center
