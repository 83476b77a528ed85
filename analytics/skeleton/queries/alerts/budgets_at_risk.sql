-- A budget of this month or the last one is exceeded, or at risk
-- key: scope, name, workspace_id, month, status
-- severity: warning
select
    scope,
    name,
    workspace_id,
    month,
    status,
    budget_usd,
    actual_usd,
    forecast_usd,
    exhausted_on
from marts.fct_budgets
where
    status in ('exceeded', 'at_risk')
    -- What the last days of a month cost is known in the next one.
    and month >= (
        select date_trunc('month', max(last_batch_at at time zone 'UTC')) - interval 1 month
        from marts.dim_workspaces
    )
order by month, scope, name, workspace_id
