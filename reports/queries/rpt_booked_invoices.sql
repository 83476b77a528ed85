-- Invoices for the usage of earlier months, each in the month that books it.
-- Grain: as rpt_invoices, of which these are rows.
select
    workspace_id,
    booked_month as month,
    month as usage_month,
    invoice_id,
    issued_on,
    amount_usd,
    credit_usd,
    tax_usd,
    billed_usd,
    difference_usd,
    state
from reports.rpt_invoices
where booked_month <> month
order by workspace_id, month, usage_month, issued_on, invoice_id
