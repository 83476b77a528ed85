-- What is invoiced for a month as another one closes is what all its invoices book up to that,
-- less credits.
with

invoices as (
    select booked_month, usage_month, workspace_id, sum(amount_usd - credit_usd) as usd
    from marts.fct_invoices
    group by all
)

select
    months.booked_month,
    months.usage_month,
    months.workspace_id,
    months.invoiced_usd,
    coalesce(sum(invoices.usd), 0) as booked_usd
from intermediate.int_invoice_months as months
left join invoices
    on invoices.usage_month = months.usage_month
    and invoices.workspace_id = months.workspace_id
    and invoices.booked_month <= months.booked_month
group by all
having invoiced_usd <> booked_usd
order by all
