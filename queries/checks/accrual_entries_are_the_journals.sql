-- Amounts of accruals are those of the journal: of each accrual entry, and of adjustments.
with

amounts as (
    select
        booked_month,
        workspace_id,
        usage_month,
        cost_center,
        account,
        unnest([coalesce(accrual_id, '(adjustment)'), '(adjustment)']) as entry_id,
        unnest([entry_usd, adjusted_usd]) as accrual_usd,
        0 as journal_usd
    from marts.fct_accruals
    union all by name
    select
        booked_month,
        workspace_id,
        usage_month,
        cost_center,
        account,
        if(kind = 'accrual', entry_id, '(adjustment)') as entry_id,
        0 as accrual_usd,
        debit_usd - credit_usd as journal_usd
    from marts.fct_journal_lines
    where kind in ('accrual', 'adjustment') and role = 'expense'
)

select
    booked_month,
    workspace_id,
    usage_month,
    cost_center,
    account,
    entry_id,
    sum(accrual_usd) as accrual_usd,
    sum(journal_usd) as journal_usd
from amounts
group by all
having sum(accrual_usd) <> sum(journal_usd)
order by all
