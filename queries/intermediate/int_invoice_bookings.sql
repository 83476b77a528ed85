-- What invoices book in the months that are not closed: their amounts less credits, by cost center
-- and account, their tax, and what they settle beyond that: an invoice matches its month, or no
-- longer does, or the usage that it matches is another cost center's now. That is of the last
-- invoice of the usage month, or of an entry of its own.
-- Grain: month, usage month, workspace, invoice, role, cost center and account.
-- key: booked_month, usage_month, workspace_id, invoice_id, role, cost_center, account
-- materialized: table
with

invoices as (
    select
        invoices.booked_month,
        invoices.usage_month,
        invoices.workspace_id,
        invoices.invoice_id,
        invoices.issued_on,
        invoices.tax_usd,
        booked.invoice_id is not null as is_change,
        row_number() over (
            partition by invoices.booked_month, usage_month, workspace_id
            order by issued_on desc, invoice_id desc
        ) = 1 as is_last
    from marts.fct_invoices as invoices
    left join (
        select distinct usage_month, workspace_id, invoice_id
        from finance.closed_invoices
    ) as booked using (usage_month, workspace_id, invoice_id)
    where not is_booked and status <> 'before_the_books' and invoice_id <> '(none)'
),

lines as (
    select
        booked_month,
        usage_month,
        workspace_id,
        invoice_id,
        cost_center,
        account,
        invoiced_usd
    from intermediate.int_invoice_lines
    where not is_booked
),

settlements as (
    select
        booked_month,
        usage_month,
        workspace_id,
        cost_center,
        account,
        sum(amount_usd) as amount_usd
    from (
        select
            booked_month, usage_month, workspace_id, cost_center, account,
            newly_invoiced_usd as amount_usd
        from marts.fct_accruals
        where not is_booked
        union all
        select booked_month, usage_month, workspace_id, cost_center, account, -invoiced_usd
        from lines
        semi join invoices using (booked_month, usage_month, workspace_id, invoice_id)
    )
    group by all
    having sum(amount_usd) <> 0
),

amounts as (
    select * exclude (invoiced_usd), 'expense' as role, invoiced_usd as amount_usd
    from lines
    semi join invoices using (booked_month, usage_month, workspace_id, invoice_id)
    union all by name
    select
        booked_month, usage_month, workspace_id, invoice_id, 'tax' as role, '(none)' as cost_center,
        defaults.tax as account, tax_usd as amount_usd
    from invoices
    cross join intermediate.int_default_accounts as defaults
    union all by name
    select
        settlements.booked_month,
        settlements.usage_month,
        settlements.workspace_id,
        coalesce(invoices.invoice_id, '(none)') as invoice_id,
        unnest(['expense', 'rounding']) as role,
        unnest([settlements.cost_center, '(none)']) as cost_center,
        unnest([settlements.account, defaults.rounding]) as account,
        unnest([settlements.amount_usd, -settlements.amount_usd]) as amount_usd
    from settlements
    cross join intermediate.int_default_accounts as defaults
    left join invoices
        on invoices.is_last
        and invoices.booked_month = settlements.booked_month
        and invoices.usage_month = settlements.usage_month
        and invoices.workspace_id = settlements.workspace_id
)

select
    amounts.booked_month,
    amounts.usage_month,
    amounts.workspace_id,
    amounts.invoice_id,
    amounts.role,
    amounts.cost_center,
    amounts.account,
    invoices.issued_on,
    coalesce(invoices.is_change, false) as is_change,
    sum(amounts.amount_usd)::decimal(38, 10) as amount_usd
from amounts
left join invoices using (booked_month, usage_month, workspace_id, invoice_id)
group by all
having sum(amounts.amount_usd) <> 0
order by booked_month, usage_month, workspace_id, invoice_id, role, cost_center, account
