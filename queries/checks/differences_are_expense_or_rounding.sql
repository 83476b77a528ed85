-- What invoices differ from their bill is booked in full: as expense of cost centers where it is
-- accepted, else as rounding. Of closed months the journal is frozen.
with

invoices as (
    select distinct booked_month, usage_month, workspace_id, status, difference_usd
    from marts.fct_invoices
    where not is_booked and status in ('matched', 'accepted')
)

select
    invoices.*,
    coalesce(sum(debit_usd - credit_usd) filter (role = 'difference'), 0) as expense_usd,
    coalesce(sum(debit_usd - credit_usd) filter (role = 'rounding'), 0) as rounding_usd
from invoices
left join marts.fct_journal_lines as lines
    on lines.usage_month = invoices.usage_month
    and lines.workspace_id = invoices.workspace_id
    and lines.booked_month <= invoices.booked_month
    and lines.role in ('difference', 'rounding')
group by all
having
    expense_usd <> if(status = 'accepted', difference_usd, 0)
    or rounding_usd <> if(status = 'accepted', 0, difference_usd)
order by all
