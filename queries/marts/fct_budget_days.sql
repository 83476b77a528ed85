-- The charges of each budget by UTC day: what anybody must pay for them, which is what Levain bills
-- and what providers bill for keys of one's own (metered cost + surcharge).
-- Grain: scope, name, workspace and UTC day.
-- key: scope, name, workspace_id, utc_date
-- column scope: Whose charges the budget is for: workspace, agent, cost_center or all.
-- column name: Name or identifier in finance/budgets.csv; '(all)' for the scope all.
-- column workspace_id: Identifier of the workspace; '(all)' for all of them.
-- column actual_usd: Metered cost + surcharge in US dollars.
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
        sum(cost_usd + surcharge_usd) as actual_usd
    from marts.fct_charges
    group by all
)

select
    members.scope,
    members.name,
    members.budget_workspace_id as workspace_id,
    charges.utc_date,
    sum(charges.actual_usd)::decimal(38, 10) as actual_usd
from charges
join members
    on members.workspace_id = charges.workspace_id
    and (members.agent_id = '(all)' or members.agent_id = charges.agent_id)
    and (members.cost_center = '(all)' or members.cost_center = charges.cost_center)
group by all
order by members.scope, members.name, members.budget_workspace_id, charges.utc_date
