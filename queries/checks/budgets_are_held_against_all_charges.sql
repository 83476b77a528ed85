-- A budget is held against the sum of its days, and one of all workspaces against all charges of
-- its month, to the last digit; closed months apart, which keep what their close found.
with

days as (
    select
        scope,
        name,
        workspace_id,
        date_trunc('month', utc_date)::date as month,
        sum(actual_usd) as days_usd
    from intermediate.int_budget_days
    group by all
),

charges as (
    select
        'all' as scope,
        date_trunc('month', utc_date)::date as month,
        sum(metered_cost_usd + surcharge_usd) as charged_usd
    from marts.fct_charges
    group by all
)

select scope, name, workspace_id, month, actual_usd, days_usd, charged_usd
from marts.fct_budgets
left join days using (scope, name, workspace_id, month)
left join charges using (scope, month)
where
    month not in (select month from audit.closings where status = 'closed')
    and (
        actual_usd <> coalesce(days_usd, 0)
        or (scope = 'all' and actual_usd <> coalesce(charged_usd, 0))
    )
order by month, scope, name, workspace_id
