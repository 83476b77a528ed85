-- Invoices for the usage of earlier months, each in the month that books it.
-- Grain: as rpt_invoices, of which these are rows.
-- key: workspace_id, month, invoice_id, usage_month
-- column month: First day of the month that books the invoice: closed, or still to close.
-- column invoice_id: Number of the invoice.
-- column issued_on: Day on which the invoice was issued.
-- column amount_usd: Amount in US dollars that is booked, before credits and tax.
-- column credit_usd: Credit in US dollars that is booked; positive.
-- column tax_usd: Tax in US dollars that is booked.
-- column billed_usd: Bill in US dollars of workspace and month of usage, as it was booked.
-- column difference_usd: Invoiced less billed in US dollars of all the month of usage by then.
-- column state: matched, accepted, differs, or not invoiced (taken back).
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
