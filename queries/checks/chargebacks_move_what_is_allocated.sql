-- What a rule charges back leaves, in the journal, the cost center at which it was charged, and
-- reaches the one that bears it, to the last digit.
with

months as (
    select distinct month
    from marts.fct_accruals
),

figures as (
    select
        month,
        workspace_id,
        cost_center,
        debit_usd - credit_usd as journal_usd,
        0 as allocated_usd
    from marts.fct_journal_lines
    where role = 'expense' and kind = 'allocation'
    union all by name
    select
        month,
        workspace_id,
        unnest([cost_center, line_cost_center]) as cost_center,
        0 as journal_usd,
        unnest([billed_usd, -billed_usd]) as allocated_usd
    from marts.fct_allocations
    semi join months using (month)
    where is_chargeback and rule <> '(none)'
)

select
    month,
    workspace_id,
    cost_center,
    sum(journal_usd) as journal_usd,
    sum(allocated_usd) as allocated_usd
from figures
group by all
having sum(journal_usd) <> coalesce(sum(allocated_usd), 0)
order by all
