-- Accruals: what is billed and not yet invoiced when a month closes, of the month itself and of
-- earlier ones back to the first in the books; the journal takes each back on the first day of the
-- next month. A month whose invoices match, or are accepted (fct_invoices), is settled:
-- nothing of it is accrued. Of one whose bill is not known in full, that of the days that are known
-- is accrued; what is invoiced beyond it is a negative accrual until the bill is known, as expense
-- follows the bill.
-- Without books each month stands alone. Own-key cost is payable to the provider, in no accrual.
-- Rows are of the month itself, of what is not invoiced yet, and of what the month changes.
-- Grain: booked month, usage month, workspace, cost center and account.
-- key: booked_month, usage_month, workspace_id, cost_center, account
-- not_null: is_booked
-- frozen: booked_month
-- ref workspace_id: dim_workspaces
-- column booked_month: First day of the UTC month that closes.
-- column account: Account for expense.
-- column default_account: Account of the cost center where the owner names none.
-- column billed_usd: Bill of the usage month in US dollars, as it is at the close.
-- column invoiced_usd: Expense in US dollars that invoices have booked up to the close, without
-- accepted differences; where they match the bill or are accepted, all of the bill.
-- column accrual_usd: Billed less invoiced in US dollars, accrued at the end of the month.
-- column adjusted_usd: Part of it in US dollars that adjustment entries of the month book.
-- column entry_usd: Rest of it in US dollars, the amount of the accrual entry.
-- column newly_invoiced_usd: Expense in US dollars that the month books by invoices.
-- column own_key_usd: Own-key cost in US dollars that the month books, adjustments included.
-- column accrual_date: Last day of the month.
-- column reversal_date: First day of the next month.
-- column accrual_id: Entry of the accrual; null where there is none beside adjustments.
-- column reversal_id: Entry that takes it back, in the first revision of the next month; null where
-- there is none.
with

books as (
    select
        (max(month) + interval 1 month)::date as next_month
    from finance.closings
    where status = 'closed'
),

adjusted as (
    select
        corrections.usage_month as usage_month,
        corrections.workspace_id,
        corrections.cost_center,
        coalesce(nullif(corrections.account, '(none)'), defaults.default_account) as account,
        sum(corrections.billed_usd) as billed_usd,
        sum(corrections.own_key_usd) as own_key_usd
    from marts.fct_charge_adjustments as corrections
    left join (
        select distinct usage_month, workspace_id, cost_center, default_account
        from intermediate.int_account_months
    ) as defaults
        on defaults.usage_month = corrections.usage_month
        and defaults.workspace_id = corrections.workspace_id
        and defaults.cost_center = corrections.cost_center
    where not corrections.is_booked
    group by all
),

-- Each month of usage as it is today, and as earlier closes left it.
parts as (
    select
        usage_month,
        workspace_id,
        cost_center,
        account,
        default_account,
        billed_usd,
        own_key_usd
    from intermediate.int_account_months
    union all by name
    select
        usage_month,
        workspace_id,
        cost_center,
        account,
        sum(debit_usd - credit_usd) as booked_usd
    from finance.closed_journal_lines
    where role = 'expense' and kind in ('invoice', 'settlement')
    group by all
    union all by name
    select
        usage_month,
        workspace_id,
        cost_center,
        account,
        if(is_booked, invoiced_usd, 0) as closed_invoiced_usd
    from intermediate.int_invoice_lines
    union all by name
    select
        usage_month,
        workspace_id,
        cost_center,
        account,
        billed_usd as adjusted_usd,
        own_key_usd as adjusted_own_key_usd
    from adjusted
),

bills as (
    select
        usage_month,
        workspace_id,
        cost_center,
        account,
        coalesce(max(default_account), max(account)) as default_account,
        coalesce(sum(columns('_usd$')), 0)::decimal(38, 10)
    from parts
    group by all
),

invoices as (
    select booked_month, usage_month, workspace_id, cost_center, account, sum(invoiced_usd) as usd
    from intermediate.int_invoice_lines
    where not is_booked
    group by all
),

-- As each month closes that is not closed yet: what open invoices are booked by then, and the
-- expense that invoices have booked where their state says it.
closes as (
    select
        states.booked_month,
        bills.*,
        states.booked_month
        = greatest(usage_month, (select next_month from books)) as is_first,
        sum(coalesce(invoices.usd, 0)) over so_far as new_usd,
        case
            when states.status in ('matched', 'accepted') then bills.billed_usd
            when states.invoiced_usd = 0 then 0
            -- A difference that was accepted is expense of the usage once it no longer is.
            when states.is_withdrawn then bills.closed_invoiced_usd + new_usd
        end as stated_usd
    from intermediate.int_invoice_months as states
    join bills using (usage_month, workspace_id)
    left join invoices using (booked_month, usage_month, workspace_id, cost_center, account)
    where states.is_open
    window so_far as (
        partition by usage_month, workspace_id, cost_center, account order by states.booked_month
    )
),

-- Else it is what was booked before, and the invoices since.
settled as (
    select
        *,
        new_usd + coalesce(last_value(stated_usd - new_usd ignore nulls) over so_far, booked_usd)
            as invoiced_usd
    from closes
    window so_far as (
        partition by usage_month, workspace_id, cost_center, account order by booked_month
    )
),

accruals as (
    select
        booked_month,
        usage_month,
        workspace_id,
        cost_center,
        account,
        default_account,
        billed_usd,
        invoiced_usd,
        billed_usd - invoiced_usd as accrual_usd,
        if(is_first, adjusted_usd, 0) as adjusted_usd,
        invoiced_usd - coalesce(lag(invoiced_usd) over so_far, booked_usd) as newly_invoiced_usd,
        if(booked_month = usage_month, own_key_usd, 0)
        + if(is_first, adjusted_own_key_usd, 0) as own_key_usd
    from settled
    window so_far as (
        partition by usage_month, workspace_id, cost_center, account order by booked_month
    )
),

identified as (
    select
        *,
        if(
            accrual_usd <> adjusted_usd,
            format(
                'levain-{}-accrual-{}-{}{}',
                strftime(booked_month, '%Y-%m'),
                strftime(usage_month, '%Y-%m'),
                left(md5(workspace_id), 8),
                -- Of a month that was reopened: no ledger that has revision 1 has this entry.
                (
                    select if(count(*) = 0, '', format('-r{}', count(*) + 1))
                    from finance.closings
                    where closings.month = accruals.booked_month
                )
            ),
            null
        ) as accrual_id
    from accruals
    where
        booked_month = usage_month
        or accrual_usd <> 0
        or newly_invoiced_usd <> 0
        or adjusted_usd <> 0
        or own_key_usd <> 0
)

select *, accrual_usd - adjusted_usd as entry_usd, true as is_booked
from finance.closed_accruals
union all by name
select
    booked_month,
    usage_month,
    workspace_id,
    cost_center,
    account,
    default_account,
    columns('_usd$')::decimal(38, 10),
    (accrual_usd - adjusted_usd)::decimal(38, 10) as entry_usd,
    last_day(booked_month) as accrual_date,
    (booked_month + interval 1 month)::date as reversal_date,
    accrual_id,
    accrual_id || '-reversal' as reversal_id,
    false as is_booked
from identified
order by booked_month, usage_month, workspace_id, cost_center, account
