-- Invoices that a month books, and those for its own usage, against the bill.
select
    strftime(usage_month, '%Y-%m') as usage_month,
    workspace_name,
    invoice_id,
    issued_on,
    amount_usd,
    credit_usd,
    tax_usd,
    billed_usd as month_billed_usd,
    difference_usd as month_difference_usd,
    status,
    is_booked
from marts.fct_invoices
join marts.dim_workspaces using (workspace_id)
where usage_month = $month::date or booked_month = $month::date
order by usage_month, workspace_name, workspace_id, booked_month, invoice_id
