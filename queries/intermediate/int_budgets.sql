-- Each budget of a month, and the UTC days of its charges that were read: from `first_date` on,
-- and whole until the day before `start`; null where no usage was read. Of lines that are the same
-- budget, a workspace once by name and once by its identifier, the upper one is in force.
-- Grain: scope, name, workspace and month.
-- key: scope, name, workspace_id, month
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

covered as (
    select
        members.scope,
        members.name,
        members.workspace,
        any_value(members.workspace_id) as workspace_id,
        count(distinct members.workspace_id) as workspace_count,
        max(spans.first_date) as first_date,
        min(spans.last_date) as start,
        max(spans.last_date) as today
    from intermediate.int_budget_members as members
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
        covered.scope is not null as is_known,
        covered.first_date,
        covered.start,
        covered.today
    from staging.stg_budgets as budgets
    left join covered
        on covered.scope = budgets.scope
        and covered.name = budgets.name
        and covered.workspace is not distinct from budgets.workspace
)

from budgets
qualify row_number() over (partition by scope, name, workspace_id, month order by line) = 1
