-- Invoices for the usage of each month, a row for each month that books any of one: of a closed
-- one as it was booked, and beside it what it would be today where an adjustment of the bill, or
-- another invoice, has changed that since.
-- Grain: workspace, month, invoice and booked month.
-- key: workspace_id, month, invoice_id, booked_month
-- column month: First day of the UTC month of the usage.
-- column invoice_id: Number of the invoice.
-- column issued_on: Day on which the invoice was issued.
-- column booked_month: First day of the month that books it: closed, or still to close.
-- column amount_usd: Amount in US dollars that is booked, before credits and tax.
-- column credit_usd: Credit in US dollars that is booked; positive.
-- column tax_usd: Tax in US dollars that is booked.
-- column billed_usd: Bill of the month in US dollars as it was booked; null before the books, and
-- where it is not known in full.
-- column difference_usd: Invoiced less billed in US dollars of all the month by then,
-- null where not known.
-- column state: matched, accepted, differs, not invoiced (taken back), bill unknown or before the
-- books.
-- column today: State of the month today, and since when; null where it is the one that is booked.
-- column today_difference_usd: Invoiced less billed in US dollars today,
-- null where it is the one that is booked.
with

bills as (
    select usage_month as month, workspace_id, sum(billed_usd) as billed_usd
    from marts.fct_account_months
    group by all
),

adjustments as (
    select original_month as month, workspace_id, max(booked_month) as adjusted_month
    from marts.fct_charge_corrections
    where billed_usd <> 0
    group by all
),

invoices as (
    select
        month,
        workspace_id,
        sum(amount_usd - credit_usd) as invoiced_usd,
        max(booked_month) as invoiced_month,
        arg_max(state, booked_month) as state,
        bool_and(is_accepted) as is_accepted,
        arg_max_null(booked_bill_usd, booked_month) as booked_bill_usd
    from (
        select
            month,
            workspace_id,
            invoice_id,
            sum(amount_usd) as amount_usd,
            sum(credit_usd) as credit_usd,
            max(booked_month) as booked_month,
            arg_max(state, booked_month) as state,
            arg_max_null(is_accepted, booked_month) as is_accepted,
            arg_max_null(billed_usd, booked_month) as booked_bill_usd
        from marts.fct_invoices
        where invoice_id <> '(none)'
        group by all
    )
    group by all
),

months as (
    select
        month,
        workspace_id,
        unknown_bills.month is null as is_known,
        if(is_known, invoiced_usd - coalesce(billed_usd, 0), null) as difference_usd,
        case
            when state in ('not_invoiced', 'before_the_books') then state
            when not is_known then 'bill_unknown'
            when abs(invoiced_usd - coalesce(billed_usd, 0)) < 0.005 then 'matched'
            when
                is_accepted
                and abs(coalesce(coalesce(billed_usd, 0) - booked_bill_usd, 0)) < 0.005
                then 'accepted'
            else 'differs'
        end as state,
        invoiced_month,
        adjusted_month
    from invoices
    left join bills using (month, workspace_id)
    left join adjustments using (month, workspace_id)
    left join intermediate.int_unknown_bills as unknown_bills using (month, workspace_id)
)

select
    workspace_id,
    month,
    invoices.invoice_id,
    invoices.issued_on,
    invoices.booked_month,
    invoices.amount_usd,
    invoices.credit_usd,
    invoices.tax_usd,
    invoices.billed_usd,
    invoices.difference_usd,
    replace(invoices.state, '_', ' ') as state,
    case
        when not invoices.is_booked or months.state = invoices.state then null
        when months.state = 'bill_unknown' then 'bill unknown'
        when months.invoiced_month > invoices.booked_month
            then
                format(
                    '{} since a change of invoices booked in {}',
                    replace(months.state, '_', ' '),
                    strftime(months.invoiced_month, '%B %Y')
                )
        when invoices.state = 'bill_unknown'
            then format('{} since the bill is known', replace(months.state, '_', ' '))
        else
            format(
                '{} since the adjustment booked in {}',
                replace(months.state, '_', ' '),
                strftime(months.adjusted_month, '%B %Y')
            )
    end as today,
    if(
        invoices.is_booked and months.difference_usd is distinct from invoices.difference_usd,
        months.difference_usd,
        null
    ) as today_difference_usd
from marts.fct_invoices as invoices
join months using (workspace_id, month)
where invoices.invoice_id <> '(none)'
order by workspace_id, month, invoices.issued_on, invoices.invoice_id, invoices.booked_month
