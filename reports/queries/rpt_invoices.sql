-- Invoices for the usage of each month, a row for each month that books any of one: of a closed
-- one as it was booked, and beside it what it would be today where an adjustment of the bill, or
-- another invoice, has changed that since.
-- Grain: workspace, month, invoice and booked month.
with

adjustments as (
    select usage_month, workspace_id, max(booked_month) as adjusted_month
    from (
        select usage_month, workspace_id, booked_month
        from marts.fct_charge_adjustments
        group by all
        having sum(billed_usd) <> 0
    )
    group by all
),

invoices as (
    select *, max(booked_month) over (partition by workspace_id, usage_month) as invoiced_month
    from marts.fct_invoices
    where invoice_id <> '(none)'
)

select
    workspace_id,
    usage_month as month,
    invoices.invoice_id,
    invoices.issued_on,
    invoices.booked_month,
    invoices.amount_usd,
    invoices.credit_usd,
    invoices.tax_usd,
    invoices.billed_usd,
    invoices.difference_usd,
    replace(invoices.status, '_', ' ') as state,
    case
        when not invoices.is_booked or months.status = invoices.status then null
        when months.status = 'bill_unknown' then 'bill unknown'
        when
            invoices.invoiced_month > invoices.booked_month
            and coalesce(invoices.invoiced_month >= adjustments.adjusted_month, true)
            then
                format(
                    '{} since a change of invoices booked in {}',
                    replace(months.status, '_', ' '),
                    strftime(invoices.invoiced_month, '%B %Y')
                )
        when invoices.status = 'bill_unknown'
            then format('{} since the bill is known', replace(months.status, '_', ' '))
        else
            format(
                '{} since the adjustment booked in {}',
                replace(months.status, '_', ' '),
                strftime(adjustments.adjusted_month, '%B %Y')
            )
    end as today,
    if(
        invoices.is_booked and months.difference_usd is distinct from invoices.difference_usd,
        months.difference_usd,
        null
    ) as today_difference_usd
from invoices
join intermediate.int_invoice_months as months using (workspace_id, usage_month)
left join adjustments using (workspace_id, usage_month)
order by workspace_id, month, invoices.issued_on, invoices.invoice_id, invoices.booked_month
