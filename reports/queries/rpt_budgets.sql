-- Budgets against what was charged: of the site all of them, of a workspace its own.
-- Grain: workspace or '(all)', scope, name, workspace of the budget, and month.
with

today as (
    select date_trunc('month', max(last_batch_at at time zone 'UTC'))::date as this_month
    from marts.dim_workspaces
),

-- Agents by what a budget may call them, where one name is meant. Names are compared as by
-- `finance.folded`, which the published file does not have.
agents as (
    select name, any_value(agent_name) as agent_name
    from (
        select lower(upper(nfc_normalize(unnest([agent_id, agent_slug])))) as name, agent_name
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
        budgets.month = this_month as is_now,
        budgets.* exclude (workspace_id)
    from marts.fct_budgets as budgets
    cross join today
    left join marts.dim_workspaces as workspaces using (workspace_id)
    left join agents on agents.name = lower(upper(nfc_normalize(budgets.name)))
)

select '(all)' as workspace_id, budgets.*
from budgets
union all
select budget_workspace_id, budgets.*
from budgets
where budget_workspace_id in (select workspace_id from marts.dim_workspaces)
