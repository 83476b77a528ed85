-- Budgets of a month against what was charged: all of them, or those of one workspace.
select
    strftime(month, '%Y-%m') as month,
    scope,
    subject,
    of_workspace,
    budget_usd,
    actual_usd,
    remaining_usd,
    state,
    exhausted_on,
    run_rate_usd,
    forecast_usd,
    forecast_low_usd,
    forecast_high_usd,
    forecast_low_95_usd,
    forecast_high_95_usd,
    name,
    budget_workspace_id
from reports.rpt_budgets
where
    month = $month::date
    and workspace_id = if(
        len($workspace_ids) = (select count(*) from marts.dim_workspaces),
        '(all)',
        $workspace_ids[1]
    )
order by list_position(['all', 'workspace', 'cost_center', 'agent'], scope), subject, of_workspace
