-- Each accrual is the bill of its month of usage (its lines, and the adjustments booked by then)
-- less the expense that journals have booked for its invoices, and is what all journals up to its
-- month leave as accrued.
with

books as (
    select min(month) as first_month
    from audit.closings
    where status = 'closed'
),

-- Without books each month stands alone.
closes as (
    select months.booked_month, usages.usage_month, usages.workspace_id
    from (select distinct booked_month from marts.fct_accruals) as months
    cross join books
    join (
        select distinct usage_month, workspace_id from marts.fct_month_lines
        union
        select distinct usage_month, workspace_id from marts.fct_journal_lines
    ) as usages
        on usages.usage_month = months.booked_month
        or usages.usage_month between books.first_month and months.booked_month
),

figures as (
    select
        usage_month,
        workspace_id,
        usage_month as booked_month,
        billed_usd,
        0 as invoiced_usd,
        0 as accrued_usd
    from marts.fct_month_lines
    union all by name
    select
        usage_month,
        workspace_id,
        booked_month,
        difference_billed_usd as billed_usd,
        0 as invoiced_usd,
        0 as accrued_usd
    from marts.fct_period_adjustments
    union all by name
    select
        usage_month,
        workspace_id,
        booked_month,
        0 as billed_usd,
        if(role = 'expense' and kind in ('invoice', 'settlement'), debit_usd - credit_usd, 0)
            as invoiced_usd,
        if(role = 'accrued', credit_usd - debit_usd, 0) as accrued_usd
    from marts.fct_journal_lines
),

expected as (
    select
        closes.booked_month,
        closes.workspace_id,
        closes.usage_month,
        sum(figures.billed_usd - figures.invoiced_usd) as expected_usd,
        sum(figures.accrued_usd) as balance_usd
    from closes
    cross join books
    join figures
        on figures.workspace_id = closes.workspace_id
        and figures.usage_month = closes.usage_month
        and figures.booked_month <= closes.booked_month
        and (books.first_month is not null or figures.booked_month = closes.booked_month)
    group by all
),

accruals as (
    select booked_month, workspace_id, usage_month, sum(accrual_usd) as accrual_usd
    from marts.fct_accruals
    group by all
)

select
    booked_month,
    workspace_id,
    usage_month,
    coalesce(accrual_usd, 0) as accrual_usd,
    coalesce(expected_usd, 0) as expected_usd,
    coalesce(balance_usd, 0) as balance_usd
from accruals
full join expected using (booked_month, workspace_id, usage_month)
where
    coalesce(accrual_usd, 0) <> coalesce(expected_usd, 0)
    or coalesce(accrual_usd, 0) <> coalesce(balance_usd, 0)
order by all
