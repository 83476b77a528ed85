-- What is left of each budget of this month, and when will it be gone?
-- Actual is what anybody must pay: metered cost and surcharge, those of own keys included.
select
    budgets.scope,
    budgets.name,
    coalesce(workspaces.workspace_name, budgets.workspace_id) as workspace,
    budgets.status,
    budgets.budget_usd,
    budgets.actual_usd,
    budgets.remaining_usd,
    budgets.run_rate_usd,
    budgets.forecast_usd,
    budgets.forecast_low_usd,
    budgets.forecast_high_usd,
    budgets.exhausted_on
from marts.fct_budgets as budgets
left join marts.dim_workspaces as workspaces using (workspace_id)
where
    budgets.month = (
        select date_trunc('month', max(last_batch_at at time zone 'UTC'))
        from marts.dim_workspaces
    )
order by
    budgets.remaining_usd,
    budgets.scope,
    budgets.name,
    workspace
