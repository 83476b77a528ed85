-- Accruals of a month: what is billed and not invoiced, how much of it is booked by adjustment
-- entries and by the accrual entry, and the day on which it is taken back.
select
    strftime(month, '%Y-%m') as month,
    strftime(usage_month, '%Y-%m') as usage_month,
    workspace_name,
    cost_center,
    account,
    accrual_usd,
    adjusted_usd,
    entry_usd,
    billed_usd,
    invoiced_usd,
    own_key_usd,
    accrual_date,
    reversal_date,
    accrual_id,
    reversal_id,
    is_booked,
    workspace_id
from marts.fct_accruals
join marts.dim_workspaces using (workspace_id)
where month = $month::date and list_contains($workspace_ids, workspace_id)
order by usage_month, workspace_name, workspace_id, cost_center, account
