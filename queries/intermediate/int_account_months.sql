-- Charges of a UTC month by cost center and account of the journal, as they are today. The account
-- is the owner's of finance/owners.csv, else the cost center's of finance/accounts.toml, else the
-- one for expense; a closed month keeps the accounts with which it was booked. Months before the
-- books, if there are any, have no rows: no journal books them.
-- Grain: usage month, workspace, cost center and account.
-- key: usage_month, workspace_id, cost_center, account
-- materialized: table
with

books as (
    select min(month) as first_month
    from finance.closings
    where status = 'closed'
),

-- Agents' days of closed months that are unknown today stay as the books have them, as does all of
-- a month a load of which is lost.
unknown as (
    select distinct charges.workspace_id, charges.utc_date, charges.agent_id
    from marts.fct_charges as charges
    join finance.closings
        on closings.month = date_trunc('month', charges.utc_date) and closings.status = 'closed'
    where metered_cost_usd is null or billed_usd is null or own_key_usd is null
),

kept as (
    select workspace_id, month
    from marts.dim_months
    where is_kept
),

charges as (
    select
        date_trunc('month', utc_date)::date as usage_month,
        workspace_id,
        cost_center,
        account,
        billed_usd,
        own_key_usd
    from marts.fct_charges as charges
    anti join unknown using (workspace_id, utc_date, agent_id)
    anti join kept
        on kept.workspace_id = charges.workspace_id
        and kept.month = date_trunc('month', charges.utc_date)
    where coalesce(utc_date >= (select first_month from books), true)
    union all
    -- What the books hold has its account even where nothing of it is left.
    select
        charges.usage_month,
        charges.workspace_id,
        cost_center,
        account,
        if(coalesce(unknown.workspace_id, kept.workspace_id) is null, 0, billed_usd),
        if(coalesce(unknown.workspace_id, kept.workspace_id) is null, 0, own_key_usd)
    from intermediate.int_booked_charges as charges
    left join unknown using (workspace_id, utc_date, agent_id)
    left join kept
        on kept.workspace_id = charges.workspace_id and kept.month = charges.usage_month
),

booked_accounts as (
    select usage_month, workspace_id, cost_center, arg_min(default_account, booked_month) as account
    from finance.closed_accruals
    group by all
),

accounts as (
    select cost_center, account
    from finance.accounts
    where role = 'expense'
),

resolved as (
    select
        charges.*,
        coalesce(
            booked_accounts.account,
            accounts.account,
            defaults.expense
        ) as default_account
    from charges
    cross join intermediate.int_default_accounts as defaults
    left join booked_accounts using (usage_month, workspace_id, cost_center)
    left join accounts using (cost_center)
)

select
    usage_month,
    workspace_id,
    cost_center,
    coalesce(account, default_account) as account,
    default_account,
    sum(columns('_usd$'))::decimal(38, 10)
from resolved
group by all
order by usage_month, workspace_id, cost_center, account
