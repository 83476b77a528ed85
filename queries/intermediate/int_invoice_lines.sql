-- Invoices by cost center and account: of each row of fct_invoices that a journal has, the amount
-- less credits, in proportion to what is billed to each today, to less than the tenth decimal of a
-- dollar. Where nothing is billed, all of it is at the cost center that comes first, else at
-- '(none)'.
-- Grain: booked month, month, workspace, invoice, cost center and account.
-- key: booked_month, usage_month, workspace_id, invoice_id, cost_center, account
-- not_null: is_booked
-- materialized: table
with

invoices as (
    select
        booked_month,
        usage_month,
        workspace_id,
        invoice_id,
        is_booked,
        ((amount_usd - credit_usd) * 10000000000)::hugeint as invoiced
    from marts.fct_invoices
    where is_booked is not null and amount_usd <> credit_usd
),

cells as (
    select
        invoices.*,
        coalesce(bills.cost_center, '(none)') as cost_center,
        coalesce(bills.account, defaults.expense) as account,
        (greatest(coalesce(bills.billed_usd, 0), 0) * 10000000000)::hugeint as billed
    from invoices
    cross join intermediate.int_default_accounts as defaults
    left join intermediate.int_account_months as bills
        on bills.usage_month = invoices.usage_month and bills.workspace_id = invoices.workspace_id
),

weighed as (
    select
        *,
        if(
            sum(billed) over invoice > 0,
            billed,
            row_number() over (invoice order by cost_center, account) = 1
        )::hugeint as weight
    from cells
    window invoice as (partition by booked_month, usage_month, workspace_id, invoice_id)
),

running as (
    select
        *,
        sum(weight) over (invoice order by cost_center, account) as reached,
        sum(weight) over invoice as total
    from weighed
    window invoice as (partition by booked_month, usage_month, workspace_id, invoice_id)
)

select
    booked_month,
    usage_month,
    workspace_id,
    invoice_id,
    cost_center,
    account,
    -- The difference of two running sums that are rounded, so that the parts add up.
    ((invoiced * reached // total - invoiced * (reached - weight) // total)::decimal(28, 0)
    * 0.0000000001)::decimal(38, 10) as invoiced_usd,
    is_booked
from running
where invoiced_usd <> 0
order by booked_month, usage_month, workspace_id, invoice_id, cost_center, account
