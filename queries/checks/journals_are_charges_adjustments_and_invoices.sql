-- By cost center and to the last digit, the expense that a journal books is what is billed for the
-- month and adjusted in it, and its own-key expense is the own-key cost of both; a journal without
-- an account for that books none. What it owes to Levain is the invoices that it books, with tax
-- and less credits. A closed month has the bill of its closed lines.
with

open_months as (
    select distinct booked_month
    from marts.fct_accruals
    where not is_booked
),

own_key_months as (
    select booked_month
    from marts.fct_journal_lines
    where kind = 'own_key'
    union
    select open_months.booked_month
    from open_months
    semi join finance.accounts as accounts on accounts.role = 'provider_payable'
),

charges as (
    select usage_month as booked_month, workspace_id, cost_center, billed_usd, own_key_usd
    from finance.closed_lines
    union all
    select
        date_trunc('month', utc_date)::date as booked_month,
        workspace_id,
        cost_center,
        billed_usd,
        own_key_usd
    from marts.fct_charges
    where date_trunc('month', utc_date) in (from open_months)
    union all
    select booked_month, workspace_id, cost_center, billed_usd, own_key_usd
    from marts.fct_charge_adjustments
),

figures as (
    select
        booked_month,
        workspace_id,
        cost_center,
        role,
        if(role = 'payable', credit_usd - debit_usd, debit_usd - credit_usd) as booked_usd,
        0 as expected_usd
    from marts.fct_journal_lines
    where role in ('expense', 'payable') or (role = 'own_key' and kind = 'own_key')
    union all by name
    select booked_month, workspace_id, cost_center, 'expense' as role, billed_usd as expected_usd
    from charges
    union all by name
    select booked_month, workspace_id, cost_center, 'own_key' as role, own_key_usd as expected_usd
    from charges
    semi join own_key_months using (booked_month)
    union all by name
    select
        booked_month,
        workspace_id,
        '(none)' as cost_center,
        'payable' as role,
        amount_usd - credit_usd + tax_usd as expected_usd
    from marts.fct_invoices
    where is_booked is not null
)

select
    booked_month,
    workspace_id,
    cost_center,
    role,
    coalesce(sum(booked_usd), 0) as booked_usd,
    coalesce(sum(expected_usd), 0) as expected_usd
from figures
group by all
having coalesce(sum(booked_usd), 0) <> coalesce(sum(expected_usd), 0)
order by all
