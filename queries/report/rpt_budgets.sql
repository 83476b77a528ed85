-- Budgets against what was charged: of the site all of them, of a workspace its own.
-- Grain: workspace or '(all)', scope, name, workspace of the budget, and month.
-- key: workspace_id, scope, name, budget_workspace_id, month
-- column workspace_id: Identifier of the workspace whose page it is; '(all)' for the site.
-- column budget_workspace_id: Identifier of the budget's workspace; '(all)' for all of them.
-- column scope: Whose charges the budget is for: workspace, agent, cost_center or all.
-- column name: Name or identifier in finance/budgets.csv; '(all)' for the scope all.
-- column subject: Name of the workspace, agent or cost center; 'All workspaces' for the scope all.
-- column of_workspace: Name of the budget's workspace, 'all', or as written if nothing has it.
-- column month: First day of the calendar month (UTC).
-- column period: past, now or to_come, as of the last batch.
-- column actual_usd: Metered cost + surcharge in US dollars of the month so far, before allocation,
-- null if not read.
-- column status: on_track, at_risk, exceeded, within, not_enough_history, upcoming, unknown_name.
with

today as (
    select date_trunc('month', max(last_batch_at at time zone 'UTC'))::date as this_month
    from marts.dim_workspaces
),

-- Agents by what a budget may call them, where one name is meant.
agents as (
    select name, any_value(agent_name) as agent_name
    from (
        select lower(unnest([agent_id, agent_slug])) as name, agent_name
        from marts.dim_agents
        where line_type = 'agent'
    )
    group by name
    having count(distinct agent_name) = 1
),

budgets as (
    select
        budgets.workspace_id as budget_workspace_id,
        if(
            budgets.workspace_id = '(all)',
            'all',
            coalesce(workspaces.workspace_name, budgets.workspace_id)
        ) as of_workspace,
        case budgets.scope
            when 'all' then 'All workspaces'
            when 'workspace' then coalesce(workspaces.workspace_name, budgets.name)
            when 'agent' then coalesce(agents.agent_name, budgets.name)
            else budgets.name
        end as subject,
        case
            when budgets.month < this_month then 'past'
            when budgets.month = this_month then 'now'
            else 'to_come'
        end as period,
        budgets.* exclude (workspace_id)
    from marts.fct_budgets as budgets
    cross join today
    left join marts.dim_workspaces as workspaces using (workspace_id)
    left join agents on agents.name = lower(budgets.name)
)

select '(all)' as workspace_id, *
from budgets
union all
select workspace_id, budgets.*
from marts.dim_workspaces
join budgets on budgets.budget_workspace_id = workspace_id
order by workspace_id, month, scope, name, budget_workspace_id
