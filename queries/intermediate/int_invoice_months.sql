-- The state of what is invoiced for a workspace's month today: of all its invoices, less credits
-- and without tax, beside its bill. Matched if they differ by less than [finance] materiality_usd,
-- which is booked as rounding; accepted if finance/invoices.csv accepts each invoice. Accepted is
-- what differed when that was booked, or will be, and nothing that the bill, or an invoice that
-- goes, changes later. Of a month of which the API does not give the whole bill, nothing can be
-- said (bill_unknown). Invoices for months before the books, or before the first one with charges,
-- are not booked (before_the_books).
-- Grain: UTC month of the usage and workspace, of those with a bill or an invoice.
-- key: usage_month, workspace_id
-- materialized: table
with

books as (
    select min(month) as first_month, (max(month) + interval 1 month)::date as next_month
    from finance.closings
    where status = 'closed'
),

bills as (
    select usage_month, workspace_id, sum(billed_usd) as billed_usd
    from intermediate.int_account_months
    group by all
),

-- Of the last digit of an amount at least: nothing is less than that, and not nothing.
limits as (
    select greatest(max(materiality_usd), 0.0000000001) as material_usd
    from finance.limits
),

first_bills as (
    select workspace_id, min(usage_month) as first_month
    from bills
    group by all
),

invoices as (
    select
        usage_month,
        workspace_id,
        sum(amount_usd - credit_usd) as invoiced_usd,
        bool_or(is_in_file) as is_invoiced,
        bool_and(is_accepted) as is_accepted,
        bool_or(is_changed) as is_changed,
        coalesce(bool_or(is_booked_as_accepted and is_accepted is not true), false)
            as is_withdrawn,
        -- What differs is accepted anew with what is invoiced, not with tax or what is taken back.
        coalesce(
            bool_or(
                booked_month is null
                or amount_usd - credit_usd <> booked_amount_usd - booked_credit_usd
                or is_accepted <> is_booked_as_accepted
            ) filter (is_in_file),
            false
        ) as is_accepted_anew,
        arg_max_null(booked_difference_usd, difference_month) filter (is_in_file)
            as booked_difference_usd
    from intermediate.int_invoices
    group by all
),

settled as (
    select usage_month, workspace_id, sum(debit_usd - credit_usd) as settled_usd
    from finance.closed_journal_lines
    where role = 'expense' and kind in ('invoice', 'settlement')
    group by all
),

states as (
    select month as usage_month, workspace_id, unknown_bill_count
    from marts.dim_months
),

months as (
    select
        usage_month,
        workspace_id,
        coalesce(usage_month < coalesce(books.first_month, first_bills.first_month), true)
            as is_before_the_books,
        coalesce(states.unknown_bill_count, 0) > 0 as is_unknown,
        case
            when is_unknown then null
            when is_before_the_books then bills.billed_usd
            else coalesce(bills.billed_usd, 0)
        end as billed_usd,
        coalesce(invoices.invoiced_usd, 0) as invoiced_usd,
        coalesce(invoices.is_invoiced, false) as is_invoiced,
        coalesce(invoices.is_withdrawn, false) as is_withdrawn,
        material_usd,
        -- The books settled it with the bill, whatever the limit is now.
        coalesce(settled_usd = bills.billed_usd and not is_changed, false) as is_settled,
        case
            when is_accepted_anew or not invoices.is_accepted then invoices.is_accepted
            when booked_difference_usd is not null
                then
                    abs(
                        invoices.invoiced_usd
                        - coalesce(bills.billed_usd, 0)
                        - booked_difference_usd
                    ) < material_usd
            -- The bill was not known then: invoices were booked as they are, or settled since.
            else
                coalesce(settled_usd, 0) = invoices.invoiced_usd
                or abs(coalesce(bills.billed_usd, 0) - coalesce(settled_usd, 0)) < material_usd
        end as is_accepted,
        if(
            is_before_the_books,
            usage_month,
            greatest(usage_month, coalesce(books.next_month, usage_month))
        ) as open_month
    from bills
    full join invoices using (usage_month, workspace_id)
    left join first_bills using (workspace_id)
    left join settled using (usage_month, workspace_id)
    left join states using (usage_month, workspace_id)
    cross join books
    cross join limits
)

select
    usage_month,
    workspace_id,
    billed_usd::decimal(38, 10) as billed_usd,
    invoiced_usd::decimal(38, 10) as invoiced_usd,
    (invoiced_usd - billed_usd)::decimal(38, 10) as difference_usd,
    case
        when is_before_the_books then 'before_the_books'
        when not is_invoiced then 'not_invoiced'
        when is_unknown then 'bill_unknown'
        when abs(invoiced_usd - billed_usd) < material_usd then 'matched'
        when is_accepted then 'accepted'
        when is_settled then 'matched'
        else 'differs'
    end as status,
    is_withdrawn,
    open_month
from months
order by usage_month, workspace_id
