-- From the budget of a month to its actual amount. A budget has no runs, tokens or prices, so that
-- no effect can be measured against it. The bridge therefore goes through the month before: it
-- takes back the change that was budgeted, and the effects of fct_month_bridge lead from the month
-- before to the actual amount, to the last digit. Amounts are those of fct_budgets, metered cost +
-- surcharge, whoever bills them: own keys have no effect. What is not known by agent, which is all
-- of a cost center, is one effect. Months are those that have a bridge.
-- Grain: scope, name, workspace and month.
-- key: scope, name, workspace_id, month
-- values scope: workspace, agent, cost_center, all
-- column scope: Whose charges the budget is for: workspace, agent, cost_center or all.
-- column name: Name or identifier in finance/budgets.csv; '(all)' for the scope all.
-- column workspace_id: Identifier of the workspace; '(all)' for all of them.
-- column month: First day of the calendar month (UTC).
-- column budget_usd: Budget in US dollars: the start.
-- column budgeted_change_usd: Amount of the month before less the budget, in US dollars.
-- column change_effect_usd: All of the change of a cost center, in US dollars; else 0.
-- column actual_usd: Metered cost + surcharge in US dollars of the month: the end.
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

bridged as (
    select distinct workspace_id, month
    from marts.fct_month_bridge
),

-- Months of workspaces with charges on either side.
charged as (
    select distinct workspace_id, unnest([month, (month + interval 1 month)::date]) as month
    from (
        select distinct workspace_id, date_trunc('month', utc_date)::date as month
        from marts.fct_charges
        where cost_usd <> 0 or surcharge_usd <> 0
    )
),

-- Budgets of which every workspace with charges has a bridge.
budgets as (
    select
        budgets.scope,
        budgets.name,
        budgets.workspace_id,
        budgets.month,
        any_value(budgets.budget_usd) as budget_usd,
        any_value(budgets.actual_usd) as actual_usd
    from marts.fct_budgets as budgets
    join members
        on members.scope = budgets.scope
        and members.name = budgets.name
        and members.budget_workspace_id = budgets.workspace_id
    join charged
        on charged.workspace_id = members.workspace_id
        and charged.month = budgets.month
    left join bridged
        on bridged.workspace_id = members.workspace_id
        and bridged.month = budgets.month
    where budgets.actual_usd is not null
    group by all
    having bool_and(bridged.month is not null)
),

effects as (
    select
        budgets.scope,
        budgets.name,
        budgets.workspace_id,
        budgets.month,
        -- Own keys have no effect on the amounts, nor what was adjusted before.
        coalesce(sum(columns(
            lambda name: name like '%_effect_usd' and name not similar to '(adjustment|own_key)_.*'
        )), 0)
    from budgets
    left join members
        on members.scope = budgets.scope
        and members.name = budgets.name
        and members.budget_workspace_id = budgets.workspace_id
        and members.cost_center = '(all)'
    left join marts.fct_month_bridge as bridge
        on bridge.workspace_id = members.workspace_id
        and bridge.month = budgets.month
        and (members.agent_id = '(all)' or members.agent_id = bridge.agent_id)
    group by all
),

-- A closed month has its effects as they were: what they lead from is what the books had then.
previous as (
    select
        budgets.*,
        effects.* exclude (scope, name, workspace_id, month),
        if(
            budgets.scope = 'cost_center',
            (
                select coalesce(sum(days.actual_usd), 0)
                from marts.fct_budget_days as days
                where
                    days.scope = budgets.scope
                    and days.name = budgets.name
                    and days.workspace_id = budgets.workspace_id
                    and days.utc_date >= budgets.month - interval 1 month
                    and days.utc_date < budgets.month
            ),
            budgets.actual_usd - list_sum([*columns('_effect_usd$')])
        ) as previous_usd
    from budgets
    join effects using (scope, name, workspace_id, month)
)

select
    scope,
    name,
    workspace_id,
    month,
    budget_usd,
    (previous_usd - budget_usd)::decimal(38, 10) as budgeted_change_usd,
    if(scope = 'cost_center', actual_usd - previous_usd, 0)::decimal(38, 10) as change_effect_usd,
    columns('_effect_usd$')::decimal(38, 10),
    actual_usd
from previous
order by scope, name, workspace_id, month
