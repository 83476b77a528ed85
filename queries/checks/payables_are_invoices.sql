-- What a journal owes to Levain is the invoices that it books, with tax and less credits; their
-- lines by cost center are the amounts without tax.
with

figures as (
    select
        booked_month,
        workspace_id,
        amount_usd - credit_usd as invoiced_usd,
        tax_usd,
        0 as lines_usd,
        0 as payable_usd
    from marts.fct_invoices
    where status <> 'before_the_books'
    union all by name
    select
        booked_month,
        workspace_id,
        0 as invoiced_usd,
        0 as tax_usd,
        invoiced_usd as lines_usd,
        0 as payable_usd
    from intermediate.int_invoice_lines
    union all by name
    select
        booked_month,
        workspace_id,
        0 as invoiced_usd,
        0 as tax_usd,
        0 as lines_usd,
        credit_usd - debit_usd as payable_usd
    from marts.fct_journal_lines
    where role = 'payable'
)

select
    booked_month,
    workspace_id,
    sum(invoiced_usd) as invoiced_usd,
    sum(tax_usd) as tax_usd,
    sum(lines_usd) as lines_usd,
    sum(payable_usd) as payable_usd
from figures
group by all
having sum(invoiced_usd) <> sum(lines_usd) or sum(invoiced_usd + tax_usd) <> sum(payable_usd)
order by all
