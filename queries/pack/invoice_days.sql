-- Days that may explain why the invoices of a month differ from its bill.
select
    strftime(month, '%Y-%m') as month,
    workspace_name,
    utc_date,
    month_difference_usd,
    billed_when_issued_usd,
    billed_usd,
    changed_usd,
    unexplained_usd,
    load_id,
    workspace_id
from marts.fct_invoice_days
join marts.dim_workspaces using (workspace_id)
where month = $month::date and list_contains($workspace_ids, workspace_id)
order by workspace_name, workspace_id, utc_date
