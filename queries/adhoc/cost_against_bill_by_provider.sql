-- What was metered by provider and month, and what of it is billed (the rest goes to own
-- provider keys)?
select
    workspaces.workspace_name,
    date_trunc('month', days.date)::date as month,
    days.provider,
    sum(days.cost_usd) as cost_usd,
    sum(days.billed_usd) as billed_usd,
    sum(days.cost_usd) - sum(days.billed_usd) as not_billed_usd
from marts.fct_billing_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
group by days.workspace_id, workspaces.workspace_name, month, days.provider
order by month desc, workspaces.workspace_name, days.provider
