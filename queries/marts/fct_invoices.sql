-- Invoices of Levain, each in the month whose close books it, beside the bill of the month in which
-- the usage was: the month of issue, or the first open month after it where that is closed, and
-- none before the usage. What changes later is booked in the next open month: amounts of a row are
-- what that month books, so that all rows of an invoice add up to finance/invoices.csv as it is. A
-- month that closes without an invoice has a row '(none)'.
-- The status is that of the usage month with all that is booked up to that month; a row of amount 0
-- books that an invoice is accepted later, or no longer.
-- Grain: booked month, usage month, workspace and invoice.
-- key: booked_month, usage_month, workspace_id, invoice_id
-- ref workspace_id: dim_workspaces
-- values status: not_invoiced, matched, accepted, differs, bill_unknown, before_the_books
-- column invoice_id: Number of the invoice; '(none)' without one.
-- column issued_on: Day on which the invoice was issued.
-- column amount_usd: Amount in US dollars that is booked, before credits and tax.
-- column credit_usd: Credit in US dollars that is booked; positive.
-- column tax_usd: Tax in US dollars that is booked, in no cost.
-- column is_accepted: True if finance/invoices.csv accepts what differs; null where it has no such
-- invoice.
-- column billed_usd: Bill in US dollars of workspace and month; null before the
-- books, and where it is not known in full.
-- column invoiced_usd: Invoices in US dollars of workspace and usage month that are booked by then,
-- less credits.
-- column difference_usd: Invoiced less billed in US dollars, likewise; null where not known.
-- column status: not_invoiced, matched, accepted, differs, bill_unknown or before_the_books.
-- column is_booked: True if a close booked it; false if that of booked_month will; null where none
-- does, or the books have not begun, or not reached that month.
with

changes as (
    from intermediate.int_invoices
    where is_changed
)

select *, true as is_booked
from finance.closed_invoices
union all by name
select
    months.usage_month,
    months.workspace_id,
    coalesce(changes.invoice_id, '(none)') as invoice_id,
    months.booked_month,
    changes.issued_on,
    coalesce(changes.amount_usd - changes.booked_amount_usd, 0)::decimal(38, 10) as amount_usd,
    coalesce(changes.credit_usd - changes.booked_credit_usd, 0)::decimal(38, 10) as credit_usd,
    coalesce(changes.tax_usd - changes.booked_tax_usd, 0)::decimal(38, 10) as tax_usd,
    changes.is_accepted,
    months.billed_usd,
    months.invoiced_usd,
    months.difference_usd,
    months.status,
    if(months.is_open, false, null) as is_booked
from intermediate.int_invoice_months as months
left join changes
    on changes.open_month = months.booked_month
    and changes.usage_month = months.usage_month
    and changes.workspace_id = months.workspace_id
where
    changes.usage_month is not null
    or months.status = 'not_invoiced' and months.booked_month = months.usage_month
order by booked_month, usage_month, workspace_id, invoice_id
