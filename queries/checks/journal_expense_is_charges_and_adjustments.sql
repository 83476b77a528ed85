-- The expense that a journal books is what is billed for the month and adjusted in it, by cost
-- center, to the last digit. Of a closed month, the bill is that of its closed lines.
with

open_months as (
    select distinct booked_month
    from marts.fct_accruals
    where not is_booked
),

figures as (
    select
        booked_month,
        workspace_id,
        cost_center,
        debit_usd - credit_usd as expense_usd,
        0 as billed_usd
    from marts.fct_journal_lines
    where role = 'expense'
    union all by name
    select usage_month as booked_month, workspace_id, cost_center, 0 as expense_usd, billed_usd
    from finance.closed_lines
    union all by name
    select
        date_trunc('month', utc_date)::date as booked_month,
        workspace_id,
        cost_center,
        0 as expense_usd,
        billed_usd
    from marts.fct_charges
    where date_trunc('month', utc_date) in (select booked_month from open_months)
    union all by name
    select booked_month, workspace_id, cost_center, 0 as expense_usd, billed_usd
    from marts.fct_charge_adjustments
)

select
    booked_month,
    workspace_id,
    cost_center,
    sum(expense_usd) as expense_usd,
    sum(billed_usd) as billed_usd
from figures
group by all
having sum(expense_usd) <> sum(billed_usd)
order by all
