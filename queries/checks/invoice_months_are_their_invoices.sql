-- What is invoiced for a month is what all its invoices book, in whichever month, less credits.
with

invoices as (
    select usage_month, workspace_id, sum(amount_usd - credit_usd) as booked_usd
    from marts.fct_invoices
    group by all
)

select usage_month, workspace_id, invoiced_usd, booked_usd
from intermediate.int_invoice_months
full join invoices using (usage_month, workspace_id)
where coalesce(invoiced_usd, 0) <> coalesce(booked_usd, 0)
order by all
