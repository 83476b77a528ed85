-- What does a success cost each agent by month, failures and cancelled runs included?
select
    workspaces.workspace_name,
    months.month,
    months.agent_name,
    months.succeeded_count,
    months.cost_usd,
    round(months.cost_usd / nullif(months.succeeded_count, 0), 4)::decimal(18, 4)
        as usd_per_success,
    round(100 * months.failed_cost_usd / nullif(months.cost_usd, 0), 1) as failed_cost_percent
from marts.fct_agent_months as months
join marts.dim_workspaces as workspaces using (workspace_id)
order by months.month desc, usd_per_success desc nulls last
