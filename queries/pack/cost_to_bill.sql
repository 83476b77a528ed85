-- The steps from the cost of a month's runs to its bill.
select
    workspace_name,
    step_number,
    step,
    amount_usd,
    comment,
    step_number in (4, 8) as is_total,
    workspace_id
from audit.cost_to_bill
join marts.dim_workspaces using (workspace_id)
where month = $month::date
order by workspace_name, workspace_id, step_number
