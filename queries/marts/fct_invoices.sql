-- Invoices of Levain, each in the month whose close books it, beside the bill of the month in which
-- the usage was. An invoice that comes after the close of its month, or changes later, is booked in
-- the next open month: amounts of a row are what that month books, so that all rows of an invoice
-- add up to finance/invoices.csv as it is. A month without an invoice has a row '(none)'.
-- The status is that of the month when the row is booked; a row of amount 0 books that an invoice
-- is accepted later, or no longer.
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
-- column invoiced_usd: All invoices in US dollars of workspace and month so far, less credits.
-- column difference_usd: Invoiced less billed in US dollars, of all invoices of workspace and month
-- so far; null where not known.
-- column status: not_invoiced, matched, accepted, differs, bill_unknown or before_the_books.
-- column is_booked: True if a close booked it; false if the next one will.
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
    months.open_month as booked_month,
    changes.issued_on,
    coalesce(changes.amount_usd - changes.booked_amount_usd, 0)::decimal(38, 10) as amount_usd,
    coalesce(changes.credit_usd - changes.booked_credit_usd, 0)::decimal(38, 10) as credit_usd,
    coalesce(changes.tax_usd - changes.booked_tax_usd, 0)::decimal(38, 10) as tax_usd,
    changes.is_accepted,
    months.billed_usd,
    months.invoiced_usd,
    months.difference_usd,
    months.status,
    false as is_booked
from intermediate.int_invoice_months as months
left join changes using (usage_month, workspace_id)
where
    changes.usage_month is not null
    or months.status = 'not_invoiced' and months.open_month = months.usage_month
order by booked_month, usage_month, workspace_id, invoice_id
