-- What anybody must pay for the charges of each budget, by UTC day: metered cost and surcharge, which
-- is what Levain bills and what providers bill for keys of one's own.
-- Grain: scope, name, workspace and UTC day.
-- key: scope, name, workspace_id, utc_date
-- materialized: table
with

budgets as (
    select distinct scope, name, workspace_id, workspace
    from intermediate.int_budgets
    where is_known
),

members as (
    select
        budgets.scope,
        budgets.name,
        budgets.workspace_id as budget_workspace_id,
        members.workspace_id,
        members.agent_id,
        members.cost_center
    from budgets
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
        sum(cost_usd + surcharge_usd) as amount_usd
    from marts.fct_charges
    group by all
)

select
    members.scope,
    members.name,
    members.budget_workspace_id as workspace_id,
    charges.utc_date,
    sum(charges.amount_usd)::decimal(38, 10) as amount_usd
from charges
join members
    on members.workspace_id = charges.workspace_id
    and (members.agent_id = '(all)' or members.agent_id = charges.agent_id)
    and (members.cost_center = '(all)' or members.cost_center = charges.cost_center)
group by all
