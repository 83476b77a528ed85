-- Each accrual is billed less invoiced, and what all journals up to a month leave as accrued is the
-- accruals of the month, by workspace and month of usage.
with

months as (
    select distinct month
    from marts.fct_accruals
),

has_books as (
    select coalesce(bool_or(is_booked), false) as has_books
    from marts.fct_journal_lines
),

accrued as (
    select month, workspace_id, usage_month, sum(credit_usd - debit_usd) as amount_usd
    from marts.fct_journal_lines
    where role = 'accrued'
    group by all
),

balances as (
    select
        months.month,
        accrued.workspace_id,
        accrued.usage_month,
        sum(accrued.amount_usd) as balance_usd
    from months
    cross join has_books
    join accrued on accrued.month = months.month or has_books and accrued.month < months.month
    group by all
),

accruals as (
    select
        month,
        workspace_id,
        usage_month,
        sum(accrual_usd) as accrual_usd,
        sum(billed_usd - invoiced_usd) as difference_usd
    from marts.fct_accruals
    group by all
)

select
    month,
    workspace_id,
    usage_month,
    accruals.accrual_usd,
    accruals.difference_usd,
    balances.balance_usd
from accruals
full join balances using (month, workspace_id, usage_month)
where
    coalesce(accruals.accrual_usd, 0) <> coalesce(accruals.difference_usd, 0)
    or coalesce(accruals.accrual_usd, 0) <> coalesce(balances.balance_usd, 0)
order by all
