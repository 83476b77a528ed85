-- Own-key cost that a journal books is that of the month and of its adjustments, by cost center,
-- to the last digit; a journal without an account for it books none.
with

-- One of them may have no line.
closed_months as (
    select month
    from audit.closings
    where status = 'closed'
),

booking_months as (
    select booked_month
    from marts.fct_journal_lines
    where kind = 'own_key'
    union
    select accruals.booked_month
    from marts.fct_accruals as accruals
    semi join finance.accounts as accounts on accounts.role = 'provider_payable'
    where not accruals.is_booked
),

figures as (
    select
        booked_month,
        workspace_id,
        cost_center,
        debit_usd - credit_usd as expense_usd,
        0 as own_key_usd
    from marts.fct_journal_lines
    where role = 'own_key' and kind = 'own_key'
    union all by name
    select
        date_trunc('month', utc_date)::date as booked_month,
        workspace_id,
        cost_center,
        0 as expense_usd,
        own_key_usd
    from marts.fct_charges
    where date_trunc('month', utc_date) not in (select month from closed_months)
    union all by name
    select usage_month as booked_month, workspace_id, cost_center, 0 as expense_usd, own_key_usd
    from finance.closed_lines
    union all by name
    select booked_month, workspace_id, cost_center, 0 as expense_usd, own_key_usd
    from marts.fct_charge_adjustments
)

select
    booked_month,
    workspace_id,
    cost_center,
    sum(expense_usd) as expense_usd,
    sum(own_key_usd) as own_key_usd
from figures
semi join booking_months using (booked_month)
group by all
having sum(expense_usd) <> sum(own_key_usd)
order by all
