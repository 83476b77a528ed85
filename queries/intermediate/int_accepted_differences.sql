-- Accepted differences by cost center and account, as each open month books them: what
-- int_invoice_months has as accepted, in proportion to what is billed to each today, less what was
-- booked before. Parts below the tenth decimal of a dollar go to the largest remainders. Where
-- nothing is billed, all of it is at the cost center that comes first, else at '(none)'.
-- Grain: booked month, usage month, workspace, cost center and account.
-- key: booked_month, usage_month, workspace_id, cost_center, account
-- materialized: table
with

states as (
    select booked_month, usage_month, workspace_id, accepted_usd
    from intermediate.int_invoice_months
    where is_open
),

bills as (
    select
        usage_month,
        workspace_id,
        states.booked_month,
        sign(accepted_usd)::hugeint as sign,
        finance.units(abs(accepted_usd)) as units,
        coalesce(months.cost_center, '(none)') as cost_center,
        coalesce(months.account, defaults.expense) as account,
        finance.units(greatest(coalesce(months.billed_usd, 0), 0)) as billed
    from states
    cross join intermediate.int_default_accounts as defaults
    left join intermediate.int_account_months as months using (usage_month, workspace_id)
    where accepted_usd <> 0
),

weighed as (
    select
        *,
        if(
            sum(billed) over difference > 0,
            billed,
            row_number() over (difference order by cost_center, account) = 1
        )::hugeint as weight
    from bills
    window difference as (partition by booked_month, usage_month, workspace_id)
),

parts as (
    select
        *,
        sum(weight) over difference as whole,
        units * weight // whole as part,
        units * weight % whole as remainder
    from weighed
    window difference as (partition by booked_month, usage_month, workspace_id)
),

shares as (
    select
        booked_month,
        usage_month,
        workspace_id,
        cost_center,
        account,
        finance.usd(
            sign * (
                part
                + (
                    row_number() over (
                        difference order by remainder desc, cost_center, account
                    ) <= units - sum(part) over difference
                )::hugeint
            )
        ) as share_usd
    from parts
    window difference as (partition by booked_month, usage_month, workspace_id)
),

booked as (
    select
        usage_month,
        workspace_id,
        cost_center,
        account,
        sum(debit_usd - credit_usd) as booked_usd
    from finance.closed_journal_lines
    where role = 'difference'
    group by all
),

cells as (
    select usage_month, workspace_id, cost_center, account from shares
    union
    select usage_month, workspace_id, cost_center, account from booked
),

-- Where the state does not say what is accepted, it is what it was before.
accepted as (
    select
        states.booked_month,
        cells.*,
        coalesce(booked_usd, 0) as booked_usd,
        coalesce(
            last_value(if(accepted_usd is null, null, coalesce(share_usd, 0)) ignore nulls)
                over so_far,
            booked_usd,
            0
        ) as accepted_usd
    from states
    join cells using (usage_month, workspace_id)
    left join shares using (booked_month, usage_month, workspace_id, cost_center, account)
    left join booked using (usage_month, workspace_id, cost_center, account)
    window so_far as (
        partition by usage_month, workspace_id, cost_center, account order by states.booked_month
    )
)

select
    booked_month,
    usage_month,
    workspace_id,
    cost_center,
    account,
    (accepted_usd - coalesce(lag(accepted_usd) over so_far, booked_usd))::decimal(38, 10)
        as newly_accepted_usd
from accepted
window so_far as (
    partition by usage_month, workspace_id, cost_center, account order by booked_month
)
qualify newly_accepted_usd <> 0
order by booked_month, usage_month, workspace_id, cost_center, account
