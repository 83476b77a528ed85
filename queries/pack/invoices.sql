-- Invoices that a month books, and those for its own usage, in whichever month, against the bill.
select
    strftime(usage_month, '%Y-%m') as usage_month,
    workspace_name,
    invoice_id,
    issued_on,
    strftime(booked_month, '%Y-%m') as booked_month,
    amount_usd,
    credit_usd,
    tax_usd,
    billed_usd as month_billed_usd,
    difference_usd as month_difference_usd,
    status
from marts.fct_invoices as invoices
join marts.dim_workspaces using (workspace_id)
where usage_month = $month::date or booked_month = $month::date
qualify
    invoice_id <> '(none)'
    or count(*) over (partition by invoices.usage_month, workspace_id) = 1
order by invoices.usage_month, workspace_name, workspace_id, invoices.booked_month, invoice_id
