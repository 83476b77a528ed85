-- The state of what is invoiced for a workspace's month as each month closes that may book it: of
-- all its invoices that are booked by then, less credits and without tax, beside its bill as it is
-- today. Matched if they differ by less than [finance] materiality_usd, which is booked as
-- rounding; accepted if finance/invoices.csv accepts each invoice, which is booked as expense.
-- Accepted is what differed when that was booked, or will be, and nothing that the bill, or an
-- invoice that goes, changes later.
-- Of a month of which the API does not give the whole bill, nothing can be said (bill_unknown).
-- Invoices for months before the books, or before the first one with charges, are not booked
-- (before_the_books).
-- Without books each month stands alone, and books invoices of its own usage. What no close books
-- yet has a row of the month that will, if it is reached (is_open false).
-- Grain: month that closes, UTC month of the usage and workspace, of those with a bill or an
-- invoice.
-- key: booked_month, usage_month, workspace_id
-- materialized: table
-- column accepted_usd: Accepted difference in US dollars that is expense by then, 0 if none is;
-- null if it is what was booked before.
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

usages as (
    select
        usage_month,
        workspace_id,
        bills.billed_usd,
        coalesce(usage_month < coalesce(books.first_month, first_bills.first_month), true)
            as is_before_the_books
    from bills
    full join (select distinct usage_month, workspace_id from intermediate.int_invoices)
        using (usage_month, workspace_id)
    left join first_bills using (workspace_id)
    cross join books
),

closes as (
    select booked_month, usage_month, workspace_id, bool_or(is_open) as is_open
    from (
        select
            unnest(
                case
                    when is_before_the_books or books.next_month is null then [usage_month]
                    else
                        generate_series(
                            greatest(usage_month, books.next_month),
                            greatest(books.next_month, (select max(usage_month) from bills)),
                            interval 1 month
                        )
                end
            )::date as booked_month,
            usage_month,
            workspace_id,
            not is_before_the_books as is_open
        from usages
        cross join books
        union all
        select open_month, usage_month, workspace_id, false
        from intermediate.int_invoices
        where is_changed
    )
    group by all
),

-- Each invoice as it is once a close has booked what changed of it, and as it was booked before.
booked as (
    select
        closes.booked_month as close_month,
        invoices.*,
        not is_changed or open_month <= closes.booked_month as is_made
    from closes
    join intermediate.int_invoices as invoices using (usage_month, workspace_id)
),

invoices as (
    select
        close_month as booked_month,
        usage_month,
        workspace_id,
        sum(if(is_made, amount_usd - credit_usd, booked_amount_usd - booked_credit_usd))
            as invoiced_usd,
        bool_or(if(is_made, is_in_file, booked_month is not null)) as is_invoiced,
        bool_and(if(is_made, is_accepted, is_booked_as_accepted)) as is_accepted,
        bool_or(is_changed and is_made) as is_changed,
        coalesce(bool_or(is_booked_as_accepted and is_accepted is not true and is_made), false)
            as is_withdrawn,
        -- What differs is accepted anew with what is invoiced, not with tax or what is taken back.
        coalesce(
            bool_or(
                booked_month is null
                or amount_usd - credit_usd <> booked_amount_usd - booked_credit_usd
                or is_accepted <> is_booked_as_accepted
            ) filter (is_in_file and is_made),
            false
        ) as is_accepted_anew,
        arg_max_null(booked_difference_usd, difference_month) filter (is_in_file or not is_made)
            as booked_difference_usd
    from booked
    group by all
),

settled as (
    select
        usage_month,
        workspace_id,
        sum(debit_usd - credit_usd) filter (role = 'expense') as settled_usd,
        sum(debit_usd - credit_usd) filter (role <> 'expense') as placed_usd
    from finance.closed_journal_lines
    where role in ('expense', 'difference', 'rounding') and kind in ('invoice', 'settlement')
    group by all
),

states as (
    select month as usage_month, workspace_id, unknown_bill_count
    from marts.dim_months
),

months as (
    select
        booked_month,
        usage_month,
        workspace_id,
        is_before_the_books,
        coalesce(states.unknown_bill_count, 0) > 0 as is_unknown,
        case
            when is_unknown then null
            when is_before_the_books then usages.billed_usd
            else coalesce(usages.billed_usd, 0)
        end as billed_usd,
        coalesce(invoices.invoiced_usd, 0) as invoiced_usd,
        coalesce(invoices.is_invoiced, false) as is_invoiced,
        coalesce(invoices.is_withdrawn, false) as is_withdrawn,
        material_usd,
        coalesce(placed_usd, 0) as placed_usd,
        coalesce(is_changed, false) as is_changed,
        -- The books settled it with the bill, whatever the limit is now.
        coalesce(settled_usd = usages.billed_usd and not invoices.is_changed, false) as is_settled,
        case
            when is_accepted_anew or not invoices.is_accepted then invoices.is_accepted
            when booked_difference_usd is not null
                then
                    abs(
                        invoices.invoiced_usd
                        - coalesce(usages.billed_usd, 0)
                        - booked_difference_usd
                    ) < material_usd
            -- The bill was not known then: invoices were booked as they are, or settled since.
            else
                coalesce(settled_usd, 0) = invoices.invoiced_usd
                or abs(coalesce(usages.billed_usd, 0) - coalesce(settled_usd, 0)) < material_usd
        end as is_accepted,
        is_open
    from closes
    join usages using (usage_month, workspace_id)
    left join invoices using (booked_month, usage_month, workspace_id)
    left join settled using (usage_month, workspace_id)
    left join states using (usage_month, workspace_id)
    cross join limits
)

select
    booked_month,
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
    -- A booked difference stays where it is, unless an invoice changes or the bill changes by the
    -- limit or more. A smaller change of the bill is rounding.
    case
        when
            status in ('matched', 'accepted')
            and (is_changed or abs(invoiced_usd - billed_usd - placed_usd) >= material_usd)
            then if(status = 'accepted', difference_usd, 0)
        when invoiced_usd = 0 or is_withdrawn then 0
    end::decimal(38, 10) as accepted_usd,
    is_withdrawn,
    is_open
from months
order by booked_month, usage_month, workspace_id
