-- Each budget of a month, and the UTC days of its charges that were read: from `first_date` on,
-- of each workspace whole until the day before `start`, of some until `read_to`; null where no
-- usage was read. Of some, nothing was read if it lacks a workspace. `today` is the last day of
-- which anything was read. Of lines that are the same budget, a workspace or agent by two of its
-- names, the upper one is in force.
-- Grain: scope, name, workspace and month.
-- key: scope, name, workspace_id, month
-- not_null: is_known
-- column lines: Of all lines that are this budget, from the upper one on.
-- materialized: table
with

spans as (
    select
        workspace_id,
        any_value(first_date) as first_date,
        any_value(last_date) as last_date
    from intermediate.int_metered_days
    group by workspace_id
),

-- A workspace that was first read after a month, or last before it, is none of that month's. If it
-- was last read within the month before, it may lack there.
covered as (
    select
        budgets.line,
        any_value(members.workspace_id) as workspace_id,
        list_sort(list(distinct row(members.workspace_id, members.agent_id))) as agents,
        count(distinct members.workspace_id) as workspace_count,
        max(spans.first_date) as any_first_date,
        min(spans.last_date) as any_last_date,
        max(spans.first_date) filter (
            spans.first_date < budgets.month + interval 1 month and spans.last_date >= budgets.month
        ) as first_date,
        min(spans.last_date) filter (
            spans.first_date < budgets.month + interval 1 month and spans.last_date >= budgets.month
        ) as last_date,
        max(spans.last_date) as read_to,
        bool_or(
            spans.last_date >= budgets.month - interval 1 month and spans.last_date < budgets.month
        ) as lacks_workspace
    from finance.budgets as budgets
    join intermediate.int_budget_members as members
        on members.scope = budgets.scope
        and members.name = budgets.name
        and members.workspace is not distinct from budgets.workspace
    left join spans using (workspace_id)
    group by all
),

budgets as (
    select
        budgets.line,
        budgets.scope,
        budgets.name,
        case
            when budgets.workspace is null and budgets.scope <> 'workspace' then '(all)'
            when covered.workspace_count = 1 then covered.workspace_id
            else coalesce(budgets.workspace, budgets.name)
        end as workspace_id,
        budgets.workspace,
        budgets.month,
        (budgets.month + interval 1 month)::date as next_month,
        budgets.amount_usd as budget_usd,
        covered.line is not null as is_known,
        covered.agents,
        coalesce(covered.first_date, covered.any_first_date) as first_date,
        coalesce(covered.last_date, covered.any_last_date) as start,
        covered.read_to,
        coalesce(covered.lacks_workspace and covered.read_to >= budgets.month, false)
            as lacks_workspace,
        (select max(last_date) from spans) as today
    from finance.budgets as budgets
    left join covered using (line)
)

select
    * exclude (agents),
    list(line) over (
        partition by
            scope,
            if(is_known and scope <> 'cost_center', '', name),
            agents,
            workspace_id,
            month
        order by line rows between unbounded preceding and unbounded following
    ) as lines
from budgets
qualify line = lines[1]
