-- Accruals of each month by usage month and cost center, where there are books or invoices.
-- Grain: workspace, month, usage month, cost center and account.
-- key: workspace_id, month, usage_month, cost_center, account
-- column month: First day of the UTC month that closes.
-- column account: Account for expense.
-- column billed_usd: Bill of the usage month in US dollars, as it is at the close.
-- column invoiced_usd: Expense in US dollars that invoices have booked up to the close.
-- column accrual_usd: Billed less invoiced in US dollars, accrued at the end of the month.
-- column adjusted_usd: Part of it in US dollars that adjustment entries of the month book.
-- column entry_usd: Rest of it in US dollars, the amount of the accrual entry.
-- column own_key_usd: Own-key cost in US dollars, payable to the provider and in no accrual.
-- column reversal_date: First day of the next month, on which it is taken back.
-- column state: booked, or preview while the month is not closed; with a bill of the usage month
-- that is known in part (of booked rows, when its invoices were booked), it says so.
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
        if(is_booked, invoices.state = 'bill_unknown', unknown_bills.usage_month is not null),
        ', bill known in part',
        ''
    ) as state
from marts.fct_accruals as accruals
left join invoices using (workspace_id, booked_month, usage_month)
left join intermediate.int_unknown_bills as unknown_bills
    on unknown_bills.workspace_id = accruals.workspace_id
    and unknown_bills.usage_month = accruals.usage_month
where
    (accrual_usd <> 0 or adjusted_usd <> 0 or own_key_usd <> 0 or usage_month = booked_month)
    and (
        exists (from audit.closings)
        or exists (from marts.fct_invoices where invoice_id <> '(none)')
    )
order by workspace_id, month, usage_month desc, cost_center, account
