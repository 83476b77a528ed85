-- Journal lines with every digit; analytics/transform/cents.py adds whole cents. `booked_usd` holds
-- the cents of lines that a close froze, and is null for other lines.
-- Grain: booked month, entry and line.
-- key: booked_month, entry_id, line_number
with

books as (
    select (max(month) + interval 1 month)::date as next_month
    from finance.closings
    where status = 'closed'
),

months as (
    select booked_month
    from marts.fct_accruals
    where not is_booked
    union
    select booked_month
    from marts.fct_invoices
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
        coalesce(nullif(corrections.account, '(none)'), defaults.default_account) as account,
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

-- What invoices book in the months that are not closed: their amounts less credits, by cost center
-- and account, their tax, and what they settle beyond that: an invoice matches its month, or no
-- longer does, or the usage that it matches is another cost center's now, or what differs is
-- accepted. That is of the last invoice of the usage month, or of an entry of its own.
open_invoices as (
    select
        invoices.booked_month,
        invoices.usage_month,
        invoices.workspace_id,
        invoices.invoice_id,
        invoices.issued_on,
        invoices.tax_usd,
        booked.invoice_id is not null as is_change,
        row_number() over (
            partition by invoices.booked_month, usage_month, workspace_id
            order by issued_on desc, invoice_id desc
        ) = 1 as is_last
    from marts.fct_invoices as invoices
    left join (
        select distinct usage_month, workspace_id, invoice_id
        from finance.closed_invoices
    ) as booked using (usage_month, workspace_id, invoice_id)
    where not is_booked and invoice_id <> '(none)'
),

invoice_lines as (
    select
        booked_month,
        usage_month,
        workspace_id,
        invoice_id,
        cost_center,
        account,
        invoiced_usd
    from intermediate.int_invoice_lines
    where not is_booked
),

settlements as (
    select
        booked_month,
        usage_month,
        workspace_id,
        role,
        cost_center,
        account,
        sum(amount_usd) as amount_usd
    from (
        select
            booked_month, usage_month, workspace_id, 'expense' as role, cost_center, account,
            newly_invoiced_usd as amount_usd
        from marts.fct_accruals
        where not is_booked
        union all
        select
            booked_month, usage_month, workspace_id, 'expense' as role, cost_center, account,
            -invoiced_usd
        from invoice_lines
        semi join open_invoices using (booked_month, usage_month, workspace_id, invoice_id)
        union all
        select
            booked_month, usage_month, workspace_id, 'difference' as role, cost_center, account,
            newly_accepted_usd
        from intermediate.int_accepted_differences
    )
    group by all
    having sum(amount_usd) <> 0
),

invoice_amounts as (
    select * exclude (invoiced_usd), 'expense' as role, invoiced_usd as amount_usd
    from invoice_lines
    semi join open_invoices using (booked_month, usage_month, workspace_id, invoice_id)
    union all by name
    select
        booked_month, usage_month, workspace_id, invoice_id, 'tax' as role, '(none)' as cost_center,
        defaults.tax as account, tax_usd as amount_usd
    from open_invoices
    cross join intermediate.int_default_accounts as defaults
    union all by name
    select
        settlements.booked_month,
        settlements.usage_month,
        settlements.workspace_id,
        coalesce(invoices.invoice_id, '(none)') as invoice_id,
        unnest([role, 'rounding']) as role,
        unnest([settlements.cost_center, '(none)']) as cost_center,
        unnest([settlements.account, defaults.rounding]) as account,
        unnest([settlements.amount_usd, -settlements.amount_usd]) as amount_usd
    from settlements
    cross join intermediate.int_default_accounts as defaults
    left join open_invoices as invoices
        on invoices.is_last
        and invoices.booked_month = settlements.booked_month
        and invoices.usage_month = settlements.usage_month
        and invoices.workspace_id = settlements.workspace_id
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
        if(kind = 'invoice', greatest(issued_on, booked_month), last_day(booked_month))
            as entry_date,
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
        case role when 'tax' then 'tax' when 'difference' then 'accepted difference' end as memo
    from invoice_amounts
    left join open_invoices using (booked_month, usage_month, workspace_id, invoice_id)
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

select
    lines.* exclude (debit_usd, credit_usd),
    debit_usd - credit_usd as amount_usd,
    closings.revision,
    true as is_booked
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
                    'expense', 'difference', 'own_key', 'tax', 'rounding', 'accrued', 'payable',
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
    amount_usd,
    narration,
    memo,
    reverses_entry_id,
    false as is_booked
from with_reversals
join revisions using (booked_month)
