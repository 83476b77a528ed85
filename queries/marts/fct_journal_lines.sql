-- Journal of each month, for the ledger: reversals of the accruals of the month before, invoices,
-- adjustments of closed months, accruals, own-key cost where finance/accounts.toml has an account
-- provider_payable, and what rules charge back. Every entry balances. Expense (role expense, but
-- for allocations) is what is charged for the month and adjusted in it, to the last digit. A month
-- that is not closed is a preview; later ones are as if those before were closed as they are.
-- Grain: month, entry and line.
-- key: month, entry_id, line_number
-- ref workspace_id: dim_workspaces
-- values kind: reversal, invoice, settlement, adjustment, accrual, own_key, allocation
-- values role: expense, own_key, tax, rounding, accrued, payable, provider_payable
-- column month: First day of the UTC month that books it.
-- column revision: Close of the month that books the entry, from 1; of a preview, the next one.
-- column entry_id: External identifier of the entry, another one in each revision. An export of a
-- preview adds `-preview`.
-- column line_number: Place of the line in its entry, from 1.
-- column entry_date: Day of the entry; of an invoice its day of issue, if that is in the month.
-- column kind: reversal, invoice, settlement (what is invoiced moves between cost centers),
-- adjustment, accrual, own_key or allocation.
-- column role: Role of the account: expense, own_key (expense by keys of one's own), tax, rounding,
-- accrued, payable or provider_payable.
-- column account: Account of the line.
-- column cost_center: Cost center of an expense; '(none)' without one, and of other accounts.
-- column usage_month: First day of the UTC month of the usage.
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
    where state = 'closed'
),

months as (
    select distinct month
    from marts.fct_accruals
    where not is_booked
    union
    select next_month
    from books
    where next_month is not null
),

-- A ledger that has imported another revision has no entry of this one.
revisions as (
    select
        month,
        close_count + 1 as revision,
        if(close_count = 0, '', format('-r{}', close_count + 1)) as suffix
    from (
        select months.month, count(closings.month)::integer as close_count
        from months
        left join finance.closings as closings using (month)
        group by all
    )
),

accounts as (
    select
        coalesce(max(account) filter (role = 'expense'), '(none)') as expense,
        coalesce(max(account) filter (role = 'accrued'), '(none)') as accrued,
        coalesce(max(account) filter (role = 'payable'), '(none)') as payable,
        coalesce(max(account) filter (role = 'tax'), '(none)') as tax,
        coalesce(max(account) filter (role = 'rounding'), '(none)') as rounding,
        max(account) filter (role = 'provider_payable') as provider_payable
    from finance.accounts
    where cost_center is null
),

accruals as (
    select
        month,
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
        corrections.booked_month as month,
        format(
            'levain-{}-adjustment-{}-{}',
            strftime(corrections.booked_month, '%Y-%m'),
            strftime(corrections.original_month, '%Y-%m'),
            left(md5(corrections.workspace_id), 8)
        ) as entry_id,
        last_day(corrections.booked_month) as entry_date,
        'adjustment' as kind,
        'expense' as role,
        coalesce(corrections.account, defaults.default_account) as account,
        corrections.cost_center,
        corrections.workspace_id,
        corrections.original_month as usage_month,
        corrections.billed_usd as amount_usd,
        format(
            'Adjustment of {}, which is closed', strftime(corrections.original_month, '%Y-%m')
        ) as narration,
        corrections.cause as memo
    from marts.fct_charge_corrections as corrections
    left join (
        select distinct usage_month, workspace_id, cost_center, default_account
        from marts.fct_account_months
    ) as defaults
        on defaults.usage_month = corrections.original_month
        and defaults.workspace_id = corrections.workspace_id
        and defaults.cost_center = corrections.cost_center
    where not corrections.is_booked
),

invoices as (
    select
        invoices.booked_month as month,
        format(
            'levain-{}-invoice-{}-{}-{}',
            strftime(booked_month, '%Y-%m'),
            strftime(invoices.month, '%Y-%m'),
            left(md5(workspace_id), 8),
            left(md5(invoice_id), 8)
        ) as entry_id,
        if(
            issued_on between booked_month and last_day(booked_month),
            issued_on,
            last_day(booked_month)
        ) as entry_date,
        workspace_id,
        invoices.month as usage_month,
        invoice_id,
        tax_usd,
        format(
            '{} {} for usage of {}, issued {}',
            if(booked.invoice_id is null, 'Invoice', 'Change of invoice'),
            invoice_id,
            strftime(invoices.month, '%Y-%m'),
            issued_on
        ) as narration,
        row_number() over (
            partition by booked_month, invoices.month, workspace_id
            order by issued_on desc, invoice_id desc
        ) = 1 as is_last
    from marts.fct_invoices as invoices
    left join (
        select distinct month, workspace_id, invoice_id
        from finance.closed_invoices
    ) as booked using (month, workspace_id, invoice_id)
    where not is_booked and state <> 'before_the_books' and invoice_id <> '(none)'
),

invoice_parts as (
    select
        invoices.* exclude (invoice_id, tax_usd, is_last),
        lines.account,
        lines.cost_center,
        lines.invoiced_usd
    from invoices
    join marts.fct_invoice_lines as lines
        on lines.booked_month = invoices.month
        and lines.month = invoices.usage_month
        and lines.workspace_id = invoices.workspace_id
        and lines.invoice_id = invoices.invoice_id
),

-- Expense that a month books by invoices beyond their parts: they match, or no longer do, or the
-- usage that they match is another cost center's now.
settlements as (
    select
        month,
        workspace_id,
        usage_month,
        cost_center,
        account,
        sum(amount_usd) as amount_usd
    from (
        select
            month, workspace_id, usage_month, cost_center, account,
            newly_invoiced_usd as amount_usd
        from marts.fct_accruals
        where not is_booked
        union all
        select month, workspace_id, usage_month, cost_center, account, -invoiced_usd
        from invoice_parts
    )
    group by all
    having sum(amount_usd) <> 0
),

settlement_lines as (
    select workspace_id, month, usage_month, cost_center, account, 'expense' as role, amount_usd
    from settlements
    union all by name
    select
        workspace_id,
        month,
        usage_month,
        '(none)' as cost_center,
        accounts.rounding as account,
        'rounding' as role,
        -sum(amount_usd) as amount_usd
    from settlements
    cross join accounts
    group by all
),

settled as (
    select
        lines.*,
        coalesce(
            invoices.entry_id,
            format(
                'levain-{}-settlement-{}-{}',
                strftime(lines.month, '%Y-%m'),
                strftime(lines.usage_month, '%Y-%m'),
                left(md5(lines.workspace_id), 8)
            )
        ) as entry_id,
        coalesce(invoices.entry_date, last_day(lines.month)) as entry_date,
        if(invoices.entry_id is null, 'settlement', 'invoice') as kind,
        coalesce(
            invoices.narration,
            format('Invoiced usage of {} by cost center', strftime(lines.usage_month, '%Y-%m'))
        ) as narration
    from settlement_lines as lines
    left join invoices
        on invoices.is_last
        and invoices.month = lines.month
        and invoices.usage_month = lines.usage_month
        and invoices.workspace_id = lines.workspace_id
),

own_keys as (
    select
        month,
        format(
            'levain-{}-own-key-{}', strftime(month, '%Y-%m'), left(md5(workspace_id), 8)
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
    cross join accounts
    where not is_booked and accounts.provider_payable is not null
),

chargebacks as (
    select
        month,
        workspace_id,
        agent_id,
        line_cost_center,
        cost_center,
        rule,
        format(
            'levain-{}-allocation-{}-{}',
            strftime(month, '%Y-%m'),
            left(md5(workspace_id), 8),
            left(md5(rule), 8)
        ) as entry_id,
        billed_usd
    from marts.fct_allocations
    semi join months using (month)
    where is_chargeback and rule <> '(none)' and billed_usd is not null
),

-- A pool is taken from the cost center of its line.
pools as (
    select
        month,
        workspace_id,
        agent_id,
        line_cost_center as cost_center,
        rule,
        entry_id,
        (sum(billed_usd) * 10000000000)::hugeint as billed,
        abs(billed) as amount
    from chargebacks
    group by all
),

-- Where that has several accounts, in proportion to what is billed to each.
charges as (
    select
        date_trunc('month', charges.utc_date)::date as month,
        charges.workspace_id,
        charges.agent_id,
        charges.cost_center,
        coalesce(charges.account, defaults.default_account) as account,
        sum(charges.billed_usd) as billed_usd
    from marts.fct_charges as charges
    join (
        select distinct usage_month, workspace_id, cost_center, default_account
        from marts.fct_account_months
    ) as defaults
        on defaults.usage_month = date_trunc('month', charges.utc_date)
        and defaults.workspace_id = charges.workspace_id
        and defaults.cost_center = charges.cost_center
    group by all
),

-- Cost centers all of whose charges have one account, which is that of what they are charged back.
only_accounts as (
    select month, cost_center, min(account) as account
    from charges
    group by all
    having count(distinct account) = 1
),

weighed as (
    select
        pools.*,
        charges.account,
        (greatest(charges.billed_usd, 0) * 10000000000)::hugeint as billed_units,
        if(
            sum(billed_units) over pool > 0,
            billed_units,
            row_number() over (pool order by charges.account) = 1
        )::hugeint as weight
    from pools
    join charges using (month, workspace_id, agent_id, cost_center)
    window pool as (partition by pools.entry_id, pools.agent_id, pools.cost_center)
),

shares as (
    select
        *,
        sum(weight) over pool as weights,
        amount * weight // weights as share,
        amount * weight % weights as remainder
    from weighed
    window pool as (partition by entry_id, agent_id, cost_center)
),

taken as (
    select
        *,
        row_number() over (pool order by remainder desc, account)
        <= amount - sum(share) over pool as has_last_digit
    from shares
    window pool as (partition by entry_id, agent_id, cost_center)
),

allocations as (
    select
        month,
        entry_id,
        workspace_id,
        rule,
        cost_center,
        account,
        -sign(billed) * (share + has_last_digit::hugeint)::decimal(28, 0) * 0.0000000001
            as amount_usd
    from taken
    union all by name
    select
        chargebacks.month,
        chargebacks.entry_id,
        chargebacks.workspace_id,
        chargebacks.rule,
        chargebacks.cost_center,
        coalesce(
            only_accounts.account, of_cost_centers.account, accounts.expense
        ) as account,
        chargebacks.billed_usd as amount_usd
    from chargebacks
    cross join accounts
    left join only_accounts using (month, cost_center)
    left join finance.accounts as of_cost_centers
        on of_cost_centers.role = 'expense'
        and of_cost_centers.cost_center = chargebacks.cost_center
),

-- Lines but for those that balance their entry.
bodies as (
    select * from accruals
    union all by name
    select * from adjustments
    union all by name
    select
        month, entry_id, entry_date, 'invoice' as kind, 'expense' as role, account, cost_center,
        workspace_id, usage_month, invoiced_usd as amount_usd, narration
    from invoice_parts
    union all by name
    select
        month, entry_id, entry_date, 'invoice' as kind, 'tax' as role, accounts.tax as account,
        '(none)' as cost_center, workspace_id, usage_month, tax_usd as amount_usd, narration,
        'tax' as memo
    from invoices
    cross join accounts
    union all by name
    select * from settled
    union all by name
    select * from own_keys
    union all by name
    select
        month,
        entry_id,
        last_day(month) as entry_date,
        'allocation' as kind,
        'expense' as role,
        account,
        cost_center,
        workspace_id,
        month as usage_month,
        amount_usd,
        format('Chargeback by rule {}', rule) as narration
    from allocations
),

entries as (
    select *
    from bodies
    union all by name
    select
        month,
        entry_id,
        entry_date,
        kind,
        case kind
            when 'invoice' then 'payable'
            when 'own_key' then 'provider_payable'
            else 'accrued'
        end as role,
        case kind
            when 'invoice' then accounts.payable
            when 'own_key' then accounts.provider_payable
            else accounts.accrued
        end as account,
        '(none)' as cost_center,
        workspace_id,
        usage_month,
        -sum(amount_usd) as amount_usd,
        narration
    from bodies
    cross join accounts
    group by all
),

-- One line for each account, cost center and memo of an entry.
computed as (
    select
        month,
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
    join revisions using (month)
    group by all
    having sum(amount_usd) <> 0
),

with_reversals as (
    select *, null::varchar as reverses_entry_id
    from computed
    union all by name
    select
        revisions.month,
        entry_id || '-reversal' || suffix as entry_id,
        revisions.month as entry_date,
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
    join revisions on revisions.month = entries.month + interval 1 month
    where
        kind in ('accrual', 'adjustment', 'own_key')
        and entries.month >= (books.next_month - interval 1 month)::date
)

select lines.*, closings.revision, true as is_booked
from finance.closed_journal_lines as lines
join finance.closings as closings using (month)
where closings.state = 'closed'
union all by name
select
    month,
    revision,
    entry_id,
    row_number() over (
        partition by month, entry_id
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
join revisions using (month)
order by month, entry_id, line_number
