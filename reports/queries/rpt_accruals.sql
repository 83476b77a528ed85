-- Accruals of each month by usage month and cost center, where there are books or invoices.
-- Grain: workspace, month, usage month, cost center and account.
with

invoices as (
    select
        accruals.booked_month,
        accruals.usage_month,
        workspace_id,
        arg_max(invoices.status, invoices.booked_month) as state
    from (
        select distinct booked_month, usage_month, workspace_id from marts.fct_accruals
    ) as accruals
    join marts.fct_invoices as invoices using (workspace_id)
    where
        invoices.usage_month = accruals.usage_month
        and invoices.booked_month <= accruals.booked_month
    group by all
)

select
    workspace_id,
    booked_month as month,
    usage_month,
    cost_center,
    account,
    billed_usd,
    invoiced_usd,
    accrual_usd,
    adjusted_usd,
    entry_usd,
    own_key_usd,
    reversal_date,
    if(is_booked, 'booked', 'preview')
    || if(
        if(is_booked, invoices.state = 'bill_unknown', months.unknown_bill_count > 0),
        ', bill known in part',
        ''
    ) as state
from marts.fct_accruals as accruals
left join invoices using (workspace_id, booked_month, usage_month)
left join marts.dim_months as months
    on months.workspace_id = accruals.workspace_id and months.month = accruals.usage_month
where
    (accrual_usd <> 0 or adjusted_usd <> 0 or own_key_usd <> 0 or usage_month = booked_month)
    and (
        exists (from audit.closings)
        or exists (from marts.fct_invoices where invoice_id <> '(none)')
    )
order by workspace_id, month, usage_month desc, cost_center, account
