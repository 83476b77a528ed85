-- Invoices of Levain, each in the month whose close books it, beside the bill of the month in which
-- the usage was. An invoice that comes after the close of its month, or changes later, is booked in
-- the next open month: amounts of a row are what that month books, so that all rows of an invoice
-- add up to finance/invoices.csv as it is. A month without an invoice has a row '(none)'.
-- The state is that of all invoices of the month of usage, less credits, without tax: matched if
-- they differ from the bill by less than half a cent, accepted if they differ and the file accepts
-- each of them; a row of amount 0 books that one is accepted later, or no longer. Accepted is what
-- differs from the bill of then, and nothing that the bill changes later. Of a month of which the
-- API does not give the whole bill, nothing can be said (bill_unknown). Invoices for months before
-- the books, or before the first one with charges, are not booked (before_the_books).
-- Grain: booked month, month, workspace and invoice.
-- key: booked_month, month, workspace_id, invoice_id
-- ref workspace_id: dim_workspaces
-- values state: not_invoiced, matched, accepted, differs, bill_unknown, before_the_books
-- column month: First day of the UTC month of the usage.
-- column booked_month: First day of the month that books it: closed, or still to close.
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
-- column state: not_invoiced, matched, accepted, differs, bill_unknown or before_the_books.
-- column is_booked: True if a close booked it; false if the next one will.
with

books as (
    select min(month) as first_month, (max(month) + interval 1 month)::date as next_month
    from finance.closings
    where state = 'closed'
),

bills as (
    select usage_month as month, workspace_id, sum(billed_usd) as billed_usd
    from marts.fct_account_months
    group by all
),

first_bills as (
    select workspace_id, min(month) as first_month
    from bills
    group by all
),

-- A name is of the workspace that has it as its identifier, else of the only one that is named so.
lines as (
    select invoices.*, workspaces.workspace_id
    from finance.invoices as invoices
    join marts.dim_workspaces as workspaces
        on lower(invoices.workspace)
        in (lower(workspaces.workspace_id), lower(workspaces.workspace_name))
    qualify
        (
            lower(workspaces.workspace_id) = lower(invoices.workspace)
            or count(*) over (partition by invoices.line) = 1
        )
        and row_number() over (
            partition by invoices.line
            order by
                lower(workspaces.workspace_id) = lower(invoices.workspace) desc,
                workspaces.workspace_id
        ) = 1
),

amounts as (
    select
        month,
        workspace_id,
        invoice_id,
        max(issued_on) as issued_on,
        sum(amount_usd) as amount_usd,
        sum(credit_usd) as credit_usd,
        sum(tax_usd) as tax_usd,
        bool_and(is_accepted) as is_accepted
    from lines
    group by all
),

booked as (
    select
        month,
        workspace_id,
        invoice_id,
        arg_max(issued_on, booked_month) as issued_on,
        sum(amount_usd) as amount_usd,
        sum(credit_usd) as credit_usd,
        sum(tax_usd) as tax_usd,
        coalesce(arg_max_null(is_accepted, booked_month), false) as is_accepted
    from finance.closed_invoices
    where invoice_id <> '(none)'
    group by all
),

changes as (
    select
        month,
        workspace_id,
        invoice_id,
        coalesce(amounts.issued_on, booked.issued_on) as issued_on,
        coalesce(amounts.amount_usd, 0) - coalesce(booked.amount_usd, 0) as amount_usd,
        coalesce(amounts.credit_usd, 0) - coalesce(booked.credit_usd, 0) as credit_usd,
        coalesce(amounts.tax_usd, 0) - coalesce(booked.tax_usd, 0) as tax_usd,
        amounts.is_accepted
    from amounts
    full join booked using (month, workspace_id, invoice_id)
    where
        booked.month is null
        or coalesce(amounts.amount_usd, 0) <> booked.amount_usd
        or coalesce(amounts.credit_usd, 0) <> booked.credit_usd
        or coalesce(amounts.tax_usd, 0) <> booked.tax_usd
        or amounts.is_accepted <> booked.is_accepted
),

-- Of workspace and month, what is invoiced once the changes are booked.
totals as (
    select
        month,
        workspace_id,
        bills.billed_usd,
        coalesce(amounts.invoiced_usd, 0) as invoiced_usd,
        amounts.invoiced_usd is not null as is_invoiced,
        amounts.is_accepted,
        unknown_bills.month is not null as is_unknown,
        coalesce(month < coalesce(books.first_month, first_bills.first_month), true)
            as is_before_the_books
    from bills
    full join (
        select
            month,
            workspace_id,
            sum(amount_usd - credit_usd) as invoiced_usd,
            bool_and(is_accepted) as is_accepted
        from amounts
        group by all
    ) as amounts using (month, workspace_id)
    full join (select distinct month, workspace_id from changes) as changed
        using (month, workspace_id)
    left join first_bills using (workspace_id)
    left join intermediate.int_unknown_bills as unknown_bills using (month, workspace_id)
    cross join books
),

computed as (
    select
        totals.month,
        totals.workspace_id,
        coalesce(changes.invoice_id, '(none)') as invoice_id,
        if(
            is_before_the_books,
            totals.month,
            greatest(totals.month, coalesce(books.next_month, totals.month))
        ) as booked_month,
        changes.issued_on,
        coalesce(changes.amount_usd, 0) as amount_usd,
        coalesce(changes.credit_usd, 0) as credit_usd,
        coalesce(changes.tax_usd, 0) as tax_usd,
        changes.is_accepted,
        case
            when is_unknown then null
            when is_before_the_books then totals.billed_usd
            else coalesce(totals.billed_usd, 0)
        end as billed_usd,
        totals.invoiced_usd,
        case
            when is_before_the_books then 'before_the_books'
            when not is_invoiced then 'not_invoiced'
            when is_unknown then 'bill_unknown'
            when abs(invoiced_usd - coalesce(billed_usd, 0)) < 0.005 then 'matched'
            when totals.is_accepted then 'accepted'
            else 'differs'
        end as state,
        false as is_booked
    from totals
    left join changes using (month, workspace_id)
    cross join books
    where
        changes.month is not null
        or not is_invoiced and coalesce(totals.month >= books.next_month, true)
),

invoices as (
    select * exclude (difference_usd), true as is_booked
    from finance.closed_invoices
    union all by name
    select * from computed
)

select
    month,
    workspace_id,
    invoice_id,
    booked_month,
    issued_on,
    amount_usd::decimal(38, 10) as amount_usd,
    credit_usd::decimal(38, 10) as credit_usd,
    tax_usd::decimal(38, 10) as tax_usd,
    is_accepted,
    billed_usd::decimal(38, 10) as billed_usd,
    invoiced_usd::decimal(38, 10) as invoiced_usd,
    (invoiced_usd - billed_usd)::decimal(38, 10) as difference_usd,
    state,
    is_booked
from invoices
order by booked_month, month, workspace_id, invoice_id
