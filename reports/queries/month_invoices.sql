-- Invoices that each month books, and what it accrues, where there are books or invoices: a row for
-- each company and invoice, or month of usage without one. Of several invoices for one usage, the
-- last has the sums. A difference has its age on the last day of the month, or of the data.
-- Grain: workspace or '(all)', month, member, month of the usage and invoice.
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
        sum(accrual_usd) as accrual_usd
    from marts.fct_accruals as accruals
    where
        exists (from audit.closings)
        or exists (from marts.fct_invoices where invoice_id <> '(none)')
        or getvariable('is_closing')  -- the first close begins the books
    group by workspace_id, booked_month, usage_month
),

invoices as (
    select * exclude (booked_month), booked_month as month
    from marts.fct_invoices
    where invoice_id <> '(none)'
),

known as (
    select
        workspace_id as member_id,
        month, usage_month, invoice_id, tax_usd,
        coalesce(accrued.billed_usd, invoices.billed_usd) as billed_usd,
        coalesce(accrued.billed_usd - accrual_usd, invoices.invoiced_usd) as invoiced_usd,
        accrual_usd,
        count(*) over rest = 1 as is_last
    from accrued
    full join invoices using (workspace_id, month, usage_month)
    where abs(accrual_usd) >= 0.005 or invoice_id is not null
    window rest as (
        partition by workspace_id, month, usage_month
        order by invoice_id
        rows between current row and unbounded following
    )
),

stated as (
    select
        known.*,
        coalesce(
            known.invoice_id,
            nullif(so_far.invoice_id, '(none)'),
            strftime(usage_month, '%B %Y')
        ) as subject,
        issued_on,
        -- What was settled as its invoice was booked, and whose bill has changed since, is not.
        if(
            abs(accrual_usd) >= 0.005 and status in ('matched', 'accepted'),
            'differs',
            coalesce(replace(status, '_', ' '), 'not invoiced')
        ) as state
    from known
    left join lateral (
        select status, invoice_id, issued_on
        from marts.fct_invoices as invoices
        where
            invoices.workspace_id = known.member_id
            and invoices.usage_month = known.usage_month
            and invoices.booked_month <= known.month
        order by booked_month desc, invoice_id desc
        limit 1
    ) as so_far on true
)

select
    unnest([member_id, '(all)']) as workspace_id,
    unnest([subject, workspace_name || ' · ' || subject]) as subject,
    month, usage_month, state,
    if(
        state = 'differs',
        date_diff('day', issued_on, least(
            last_day(month), (max(last_batch_at) over () at time zone 'UTC')::date
        )),
        null
    ) as age_days,
    tax_usd,
    if(is_last, billed_usd, null) as billed_usd,
    if(is_last, invoiced_usd, null) as invoiced_usd,
    if(is_last, accrual_usd, null) as accrual_usd
from stated
join marts.dim_workspaces on dim_workspaces.workspace_id = member_id
