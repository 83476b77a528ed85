-- Invoices that each month books, and what it accrues, by the month of the usage, where there are
-- books or invoices. Grain: workspace or '(all)', month and month of the usage.
with

-- What a month bills as it closes, and what adjustments add to it later.
bills as (
    select workspace_id, usage_month, booked_month, billed_usd, true as is_own
    from marts.fct_accruals
    where booked_month = usage_month
    union all by name
    select workspace_id, usage_month, booked_month, billed_usd, false as is_own
    from marts.fct_charge_adjustments
),

accruals as (
    select workspace_id, booked_month, usage_month, billed_usd, accrual_usd, reversal_date
    from marts.fct_accruals
    union all by name
    -- What all workspaces are billed is also of those that have nothing to accrue.
    select workspace_id, booked_month, usage_month, 0 as accrual_usd
    from (select distinct booked_month, usage_month from marts.fct_accruals)
    join (
        select distinct workspace_id, usage_month
        from marts.fct_accruals
        where booked_month = usage_month
    ) using (usage_month)
),

accrued as (
    select
        workspace_id,
        booked_month as month,
        usage_month,
        -- Accruals of an earlier month are of the cost centers that it changes, not of all.
        coalesce(
            (
                select if(bool_or(is_own), sum(billed_usd), null)
                from bills
                where
                    bills.workspace_id = accruals.workspace_id
                    and bills.usage_month = accruals.usage_month
                    and bills.booked_month <= accruals.booked_month
            ),
            sum(billed_usd)
        ) as billed_usd,
        sum(accrual_usd) as accrual_usd,
        any_value(reversal_date) as reversal_date
    from accruals
    where
        exists (from audit.closings)
        or exists (from marts.fct_invoices where invoice_id <> '(none)')
    group by workspace_id, booked_month, usage_month
),

booked as (
    select
        workspace_id,
        booked_month as month,
        usage_month,
        string_agg(invoice_id, ', ' order by invoice_id) as invoices,
        any_value(billed_usd) as billed_usd,
        any_value(invoiced_usd) as invoiced_usd,
        sum(tax_usd) as tax_usd
    from marts.fct_invoices
    where invoice_id <> '(none)'
    group by all
),

amounts as (
    select
        workspace_id,
        month,
        usage_month,
        invoices,
        tax_usd,
        coalesce(accrued.billed_usd, booked.billed_usd) as billed_usd,
        coalesce(accrued.billed_usd - accrual_usd, booked.invoiced_usd) as invoiced_usd,
        accrual_usd,
        if(accrual_usd <> 0, reversal_date, null) as reversal_date,
        (
            select replace(arg_max(status, booked_month), '_', ' ')
            from marts.fct_invoices as invoices
            where
                invoices.workspace_id = amounts.workspace_id
                and invoices.usage_month = amounts.usage_month
                and invoices.booked_month <= amounts.month
        ) as booked_state
    from (
        select workspace_id, month, usage_month
        from accrued
        union
        select workspace_id, month, usage_month
        from booked
    ) as amounts
    left join accrued using (workspace_id, month, usage_month)
    left join booked using (workspace_id, month, usage_month)
),

stated as (
    select
        * exclude (booked_state),
        -- What was settled as its invoice was booked, and whose bill has changed since, is not.
        if(accrual_usd <> 0 and booked_state in ('matched', 'accepted'), 'differs', booked_state)
            as state
    from amounts
)

select
    if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
    month,
    usage_month,
    string_agg(invoices, ', ' order by invoices) as invoices,
    sum(billed_usd) as billed_usd,
    sum(invoiced_usd) as invoiced_usd,
    sum(tax_usd) as tax_usd,
    sum(accrual_usd) as accrual_usd,
    max(reversal_date) as reversal_date,
    coalesce(string_agg(distinct state, ', ' order by state), 'not invoiced') as state
from stated
group by grouping sets ((workspace_id, month, usage_month), (month, usage_month))
having abs(coalesce(sum(accrual_usd), 0)) >= 0.005 or count(invoices) > 0
