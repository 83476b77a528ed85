-- What rules charge back in months that are not closed, by cost center and account: a pool is taken
-- from the cost center of its line, in proportion to what is billed to each of its accounts, and
-- given to those that bear it. The closed ones are in fct_journal_lines.
-- Grain: month, workspace, rule, cost center and account.
-- key: month, workspace_id, rule, cost_center, account
-- ref workspace_id: dim_workspaces
-- column month: First day of the UTC month.
-- column rule: Name of the rule of finance/allocation.toml.
-- column cost_center: Cost center that bears it, or from which it is taken.
-- column account: Account for expense.
-- column amount_usd: What the cost center bears in US dollars; negative where it is taken.
with

chargebacks as (
    select *
    from marts.fct_allocations
    semi join (select month from marts.fct_accruals where not is_booked) as months using (month)
    where is_chargeback and rule <> '(none)' and billed_usd is not null
),

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

pools as (
    select
        month,
        workspace_id,
        rule,
        agent_id,
        line_cost_center as cost_center,
        (sum(billed_usd) * 10000000000)::hugeint as taken
    from chargebacks
    group by all
),

weighed as (
    select
        pools.*,
        charges.account,
        (greatest(charges.billed_usd, 0) * 10000000000)::hugeint as billed,
        if(
            sum(billed) over pool > 0,
            billed,
            row_number() over (pool order by charges.account) = 1
        )::hugeint as weight
    from pools
    join charges using (month, workspace_id, agent_id, cost_center)
    window pool as (partition by month, workspace_id, rule, agent_id, cost_center)
),

running as (
    select
        *,
        sum(weight) over (pool order by account) as reached,
        sum(weight) over pool as total
    from weighed
    window pool as (partition by month, workspace_id, rule, agent_id, cost_center)
),

-- A part is the difference of two running sums that are rounded, so that the parts add up.
amounts as (
    select
        month,
        workspace_id,
        rule,
        cost_center,
        account,
        (taken * (reached - weight) // total - taken * reached // total)::decimal(28, 0)
        * 0.0000000001 as amount_usd
    from running
    union all by name
    select
        chargebacks.month,
        chargebacks.workspace_id,
        chargebacks.rule,
        chargebacks.cost_center,
        coalesce(only_accounts.account, of_cost_centers.account, defaults.expense) as account,
        chargebacks.billed_usd as amount_usd
    from chargebacks
    cross join intermediate.int_default_accounts as defaults
    left join only_accounts using (month, cost_center)
    left join finance.accounts as of_cost_centers
        on of_cost_centers.role = 'expense'
        and of_cost_centers.cost_center = chargebacks.cost_center
)

select
    month,
    workspace_id,
    rule,
    cost_center,
    account,
    sum(amount_usd)::decimal(38, 10) as amount_usd
from amounts
group by all
having sum(amount_usd) <> 0
order by month, workspace_id, rule, cost_center, account
