-- The charges of each budget by UTC day: what anybody must pay for them, which is what Levain bills
-- and what providers bill for keys of one's own (metered cost + surcharge).
-- Grain: scope, name, workspace and UTC day.
-- key: scope, name, workspace_id, utc_date
-- materialized: table
with

members as (
    select distinct
        members.* exclude (workspace),
        budgets.workspace_id as budget_workspace_id
    from intermediate.int_budgets as budgets
    join intermediate.int_budget_members as members
        on members.scope = budgets.scope
        and members.name = budgets.name
        and members.workspace is not distinct from budgets.workspace
),

charges as (
    select
        workspace_id,
        agent_id,
        cost_center,
        utc_date,
        if(count(surcharge_usd) = count(*), sum(metered_cost_usd + surcharge_usd), null)
            as actual_usd
    from marts.fct_charges
    group by all
),

-- Months that were read, of which the API refuses the bill by agent of some day.
unknown as (
    select
        workspace_id,
        '(all)' as agent_id,
        '(all)' as cost_center,
        month as utc_date,
        null as actual_usd
    from marts.dim_months
    where not has_agent_bill and first_date is not null
)

select
    members.scope,
    members.name,
    members.budget_workspace_id as workspace_id,
    charges.utc_date,
    if(count(charges.actual_usd) = count(*), sum(charges.actual_usd), null)::decimal(38, 10)
        as actual_usd
from (from charges union all by name from unknown) as charges
join members
    on members.workspace_id = charges.workspace_id
    and (members.agent_id in ('(all)', charges.agent_id) or charges.agent_id = '(all)')
    and (members.cost_center in ('(all)', charges.cost_center) or charges.cost_center = '(all)')
group by all
order by members.scope, members.name, members.budget_workspace_id, charges.utc_date
