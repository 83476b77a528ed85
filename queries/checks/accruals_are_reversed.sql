-- Each accrual, adjustment and own-key entry of a journal nets to zero with its reversal in the
-- journal of the next month, by account and cost center.
with

last_months as (
    select max(booked_month) as last_month, bool_or(is_booked) as has_books
    from marts.fct_journal_lines
)

select
    coalesce(reverses_entry_id, entry_id) as entry_id,
    account,
    cost_center,
    sum(debit_usd - credit_usd) as left_usd
from marts.fct_journal_lines
cross join last_months
where
    has_books
    and (
        kind = 'reversal'
        or kind in ('accrual', 'adjustment', 'own_key') and booked_month < last_month
    )
group by all
having sum(debit_usd - credit_usd) <> 0
order by all
