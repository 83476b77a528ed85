-- Accruals of a month: what is billed and not invoiced, how much of it is booked by adjustment
-- entries and by the accrual entry, and the day on which it is taken back. What is settled has no
-- line.
select
    strftime(usage_month, '%Y-%m') as usage_month,
    workspace_name,
    cost_center,
    account,
    billed_usd,
    invoiced_usd,
    accrual_usd,
    adjusted_usd,
    entry_usd,
    accrual_date,
    reversal_date,
    is_booked
from marts.fct_accruals
join marts.dim_workspaces using (workspace_id)
where booked_month = $month::date and (accrual_usd <> 0 or adjusted_usd <> 0)
order by usage_month, workspace_name, workspace_id, cost_center, account
