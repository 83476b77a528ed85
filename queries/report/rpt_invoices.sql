-- Invoices for the usage of each month, as far as they came, beside its bill of today.
-- Grain: workspace, month and invoice.
-- key: workspace_id, month, invoice_id
-- column month: First day of the UTC month of the usage.
-- column invoice_id: Number of the invoice.
-- column issued_on: Day on which the invoice was issued.
-- column booked_month: First day of the last month that books any of it.
-- column amount_usd: Amount of the invoice in US dollars, before credits and tax.
-- column credit_usd: Credit in US dollars; positive.
-- column tax_usd: Tax in US dollars.
-- column billed_usd: Bill in US dollars of workspace and month; null before the books.
-- column invoiced_usd: All invoices in US dollars of workspace and month, less credits.
-- column difference_usd: Invoiced less billed in US dollars; null where not known.
-- column state: matched, differs, not invoiced (taken back), or before the books.
with

bills as (
    select usage_month as month, workspace_id, sum(billed_usd) as billed_usd
    from marts.fct_account_months
    group by all
),

invoices as (
    select
        workspace_id,
        month,
        invoice_id,
        arg_max(issued_on, booked_month) as issued_on,
        max(booked_month) as booked_month,
        arg_max(state, booked_month) as state,
        sum(amount_usd) as amount_usd,
        sum(credit_usd) as credit_usd,
        sum(tax_usd) as tax_usd
    from marts.fct_invoices
    where invoice_id <> '(none)'
    group by all
),

totals as (
    select
        invoices.*,
        bills.billed_usd,
        sum(amount_usd - credit_usd) over (partition by workspace_id, invoices.month)
            as invoiced_usd
    from invoices
    left join bills using (workspace_id, month)
)

select
    workspace_id,
    month,
    invoice_id,
    issued_on,
    booked_month,
    amount_usd,
    credit_usd,
    tax_usd,
    billed_usd,
    invoiced_usd,
    invoiced_usd - billed_usd as difference_usd,
    case
        when state in ('before_the_books', 'not_invoiced') then replace(state, '_', ' ')
        when abs(invoiced_usd - billed_usd) < 0.005 then 'matched'
        else 'differs'
    end as state
from totals
order by workspace_id, month, issued_on, invoice_id
