-- Invoices as finance/invoices.csv has them, beside what closes have booked of them. One that the
-- file no longer has is to be taken back: its amounts are 0. open_month books what changed: the
-- month of issue, or the first one after it that is not closed, and none before the usage. Of lines
-- that are the same, a workspace once by name and once by its identifier, the upper one counts.
-- Grain: UTC month of the usage, workspace and invoice.
-- key: usage_month, workspace_id, invoice_id
-- not_null: is_changed
with

books as (
    select min(month) as first_month, (max(month) + interval 1 month)::date as next_month
    from finance.closings
    where status = 'closed'
),

invoices as (
    select
        month as usage_month,
        workspace_id,
        invoice_id,
        issued_on,
        amount_usd,
        credit_usd,
        tax_usd,
        is_accepted
    from finance.invoices
    join intermediate.int_workspace_names as names
        on names.written = workspace and not names.is_glob and not names.is_ambiguous
    qualify row_number() over (partition by month, workspace_id, invoice_id order by line) = 1
),

-- What differs is accepted with what is invoiced, or with the word that accepts it: not with tax.
bookings as (
    select
        *,
        amount_usd <> credit_usd
        or is_accepted is distinct from lag(is_accepted) over (
            partition by usage_month, workspace_id, invoice_id order by booked_month
        ) as is_of_difference
    from finance.closed_invoices
    where invoice_id <> '(none)'
),

booked as (
    select
        usage_month,
        workspace_id,
        invoice_id,
        max(booked_month) as booked_month,
        arg_max(issued_on, booked_month) as issued_on,
        sum(amount_usd) as amount_usd,
        sum(credit_usd) as credit_usd,
        sum(tax_usd) as tax_usd,
        coalesce(arg_max_null(is_accepted, booked_month), false) as is_accepted,
        arg_max_null(difference_usd, booked_month) filter (is_of_difference) as difference_usd,
        max(booked_month) filter (is_of_difference) as difference_month
    from bookings
    group by all
)

select
    usage_month,
    workspace_id,
    invoice_id,
    invoices.usage_month is not null as is_in_file,
    coalesce(invoices.issued_on, booked.issued_on) as issued_on,
    coalesce(invoices.amount_usd, 0) as amount_usd,
    coalesce(invoices.credit_usd, 0) as credit_usd,
    coalesce(invoices.tax_usd, 0) as tax_usd,
    invoices.is_accepted,
    booked.booked_month,
    coalesce(booked.amount_usd, 0) as booked_amount_usd,
    coalesce(booked.credit_usd, 0) as booked_credit_usd,
    coalesce(booked.tax_usd, 0) as booked_tax_usd,
    booked.is_accepted as is_booked_as_accepted,
    booked.difference_usd as booked_difference_usd,
    booked.difference_month,
    booked.usage_month is null
    or coalesce(invoices.amount_usd, 0) <> booked.amount_usd
    or coalesce(invoices.credit_usd, 0) <> booked.credit_usd
    or coalesce(invoices.tax_usd, 0) <> booked.tax_usd
    or coalesce(invoices.is_accepted, false) <> booked.is_accepted as is_changed,
    if(
        coalesce(usage_month < books.first_month, false),
        usage_month,
        greatest(
            usage_month,
            date_trunc('month', coalesce(invoices.issued_on, booked.issued_on))::date,
            books.next_month
        )
    ) as open_month
from invoices
full join booked using (usage_month, workspace_id, invoice_id)
cross join books
order by usage_month, workspace_id, invoice_id
