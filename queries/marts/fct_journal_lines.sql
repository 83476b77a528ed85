-- Journal of each month, for the ledger: reversals of the accruals of the month before, invoices,
-- adjustments of closed months, accruals, and own-key cost where finance/accounts.toml has an
-- account provider_payable. Every entry balances. Expense is what is charged for the month and
-- adjusted in it, to the last digit. A month that is not closed is a preview; later ones are as if
-- those before were closed as they are.
-- Grain: booked month, entry and line.
-- key: booked_month, entry_id, line_number
-- ref workspace_id: dim_workspaces
-- values kind: reversal, invoice, settlement, adjustment, accrual, own_key
-- values role: expense, own_key, tax, rounding, accrued, payable, provider_payable
-- column booked_month: First day of the UTC month that books it.
-- column revision: Close of the month that books the entry, from 1; of a preview, the next one.
-- column entry_id: External identifier of the entry, another one in each revision. An export of a
-- preview adds `-preview`.
-- column line_number: Place of the line in its entry, from 1.
-- column entry_date: Day of the entry; of an invoice its day of issue, if that is in the month.
-- column kind: reversal, invoice, settlement (what is invoiced moves between cost centers),
-- adjustment, accrual or own_key.
-- column role: Role of the account: expense, own_key (expense by keys of one's own), tax, rounding,
-- accrued, payable or provider_payable.
-- column account: Account of the line.
-- column cost_center: Cost center of an expense; '(none)' without one, and of other accounts.
-- column debit_usd: Debit in US dollars; 0 for a credit.
-- column credit_usd: Credit in US dollars; 0 for a debit.
-- column narration: Text of the entry.
-- column memo: Text of the line.
-- column reverses_entry_id: Entry that it takes back; null for other entries.
-- column is_booked: True if the month is closed; false for a preview.
with

books as (
    select (max(month) + interval 1 month)::date as next_month
    from finance.closings
    where status = 'closed'
),

months as (
    select distinct booked_month
    from marts.fct_accruals
    where not is_booked
    union
    select next_month as booked_month
    from books
    where next_month is not null
),

-- A ledger that has imported another revision has no entry of this one.
revisions as (
    select
        booked_month,
        close_count + 1 as revision,
        if(close_count = 0, '', format('-r{}', close_count + 1)) as suffix
    from (
        select months.booked_month, count(closings.month)::integer as close_count
        from months
        left join finance.closings as closings on closings.month = months.booked_month
        group by all
    )
),

accruals as (
    select
        booked_month,
        accrual_id as entry_id,
        accrual_date as entry_date,
        'accrual' as kind,
        'expense' as role,
        account,
        cost_center,
        workspace_id,
        usage_month,
        entry_usd as amount_usd,
        format(
            'Accrual of usage of {}, billed and not invoiced by {}',
            strftime(usage_month, '%Y-%m'),
            accrual_date
        ) as narration
    from marts.fct_accruals
    where not is_booked and accrual_id is not null
),

adjustments as (
    select
        corrections.booked_month,
        format(
            'levain-{}-adjustment-{}-{}',
            strftime(corrections.booked_month, '%Y-%m'),
            strftime(corrections.usage_month, '%Y-%m'),
            left(md5(corrections.workspace_id), 8)
        ) as entry_id,
        last_day(corrections.booked_month) as entry_date,
        'adjustment' as kind,
        'expense' as role,
        coalesce(corrections.account, defaults.default_account) as account,
        corrections.cost_center,
        corrections.workspace_id,
        corrections.usage_month as usage_month,
        corrections.billed_usd as amount_usd,
        format(
            'Adjustment of {}, which is closed', strftime(corrections.usage_month, '%Y-%m')
        ) as narration,
        corrections.cause as memo
    from marts.fct_charge_adjustments as corrections
    left join (
        select distinct usage_month, workspace_id, cost_center, default_account
        from intermediate.int_account_months
    ) as defaults
        on defaults.usage_month = corrections.usage_month
        and defaults.workspace_id = corrections.workspace_id
        and defaults.cost_center = corrections.cost_center
    where not corrections.is_booked
),

invoices as (
    select
        booked_month,
        if(invoice_id = '(none)', 'settlement', 'invoice') as kind,
        format(
            'levain-{}-{}-{}-{}',
            strftime(booked_month, '%Y-%m'),
            kind,
            strftime(usage_month, '%Y-%m'),
            left(md5(workspace_id), 8)
        ) || if(kind = 'invoice', '-' || left(md5(invoice_id), 8), '') as entry_id,
        if(
            issued_on between booked_month and last_day(booked_month),
            issued_on,
            last_day(booked_month)
        ) as entry_date,
        role,
        account,
        cost_center,
        workspace_id,
        usage_month,
        amount_usd,
        if(
            kind = 'invoice',
            format(
                '{} {} for usage of {}, issued {}',
                if(is_change, 'Change of invoice', 'Invoice'),
                invoice_id,
                strftime(usage_month, '%Y-%m'),
                issued_on
            ),
            format('Invoiced usage of {} by cost center', strftime(usage_month, '%Y-%m'))
        ) as narration,
        if(role = 'tax', 'tax', null) as memo
    from intermediate.int_invoice_bookings
),

own_keys as (
    select
        booked_month,
        format(
            'levain-{}-own-key-{}', strftime(booked_month, '%Y-%m'), left(md5(workspace_id), 8)
        ) as entry_id,
        accrual_date as entry_date,
        'own_key' as kind,
        'own_key' as role,
        account,
        cost_center,
        workspace_id,
        usage_month,
        own_key_usd as amount_usd,
        'Usage by keys of one''s own, payable to providers' as narration
    from marts.fct_accruals
    cross join intermediate.int_default_accounts as defaults
    where not is_booked and defaults.provider_payable is not null
),

-- Lines but for those that balance their entry.
bodies as (
    select * from accruals
    union all by name
    select * from adjustments
    union all by name
    select * from invoices
    union all by name
    select * from own_keys
),

entries as (
    select *
    from bodies
    union all by name
    select
        booked_month,
        entry_id,
        entry_date,
        kind,
        case kind
            when 'invoice' then 'payable'
            when 'own_key' then 'provider_payable'
            else 'accrued'
        end as role,
        case kind
            when 'invoice' then defaults.payable
            when 'own_key' then defaults.provider_payable
            else defaults.accrued
        end as account,
        '(none)' as cost_center,
        workspace_id,
        usage_month,
        -sum(amount_usd) as amount_usd,
        narration
    from bodies
    cross join intermediate.int_default_accounts as defaults
    group by all
),

-- One line for each account, cost center and memo of an entry.
computed as (
    select
        booked_month,
        -- An accrual has its identifier from fct_accruals.
        entry_id || if(kind = 'accrual', '', suffix) as entry_id,
        entry_date,
        kind,
        role,
        account,
        cost_center,
        workspace_id,
        usage_month,
        sum(amount_usd)::decimal(38, 10) as amount_usd,
        format('{}, {}', narration, workspaces.workspace_name) as narration,
        concat_ws(': ', format('Usage of {}', strftime(usage_month, '%Y-%m')), memo) as memo
    from entries
    join marts.dim_workspaces as workspaces using (workspace_id)
    join revisions using (booked_month)
    group by all
    having sum(amount_usd) <> 0
),

with_reversals as (
    select *, null::varchar as reverses_entry_id
    from computed
    union all by name
    select
        revisions.booked_month,
        entry_id || '-reversal' || suffix as entry_id,
        revisions.booked_month as entry_date,
        'reversal' as kind,
        role,
        account,
        cost_center,
        workspace_id,
        usage_month,
        -amount_usd as amount_usd,
        'Reversal of ' || narration as narration,
        memo,
        entry_id as reverses_entry_id
    from (
        select *
        from computed
        union all by name
        select
            * exclude (line_number, debit_usd, credit_usd, reverses_entry_id),
            debit_usd - credit_usd as amount_usd
        from finance.closed_journal_lines
    ) as entries
    cross join books
    join revisions on revisions.booked_month = entries.booked_month + interval 1 month
    where
        kind in ('accrual', 'adjustment', 'own_key')
        and entries.booked_month >= (books.next_month - interval 1 month)::date
)

select lines.*, closings.revision, true as is_booked
from finance.closed_journal_lines as lines
join finance.closings as closings on closings.month = lines.booked_month
where closings.status = 'closed'
union all by name
select
    booked_month,
    revision,
    entry_id,
    row_number() over (
        partition by booked_month, entry_id
        order by
            list_position(
                [
                    'expense', 'own_key', 'tax', 'rounding', 'accrued', 'payable',
                    'provider_payable'
                ],
                role
            ),
            usage_month,
            cost_center,
            account,
            memo
    )::integer as line_number,
    entry_date,
    kind,
    role,
    account,
    cost_center,
    workspace_id,
    usage_month,
    greatest(amount_usd, 0)::decimal(38, 10) as debit_usd,
    greatest(-amount_usd, 0)::decimal(38, 10) as credit_usd,
    narration,
    memo,
    reverses_entry_id,
    false as is_booked
from with_reversals
join revisions using (booked_month)
order by booked_month, entry_id, line_number
