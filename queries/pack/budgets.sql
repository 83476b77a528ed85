-- Budgets of a month against what was charged.
select
    scope,
    subject,
    of_workspace,
    budget_usd,
    actual_usd,
    remaining_usd,
    status
from reports.rpt_budgets
where month = $month::date and workspace_id = '(all)'
order by list_position(['all', 'workspace', 'cost_center', 'agent'], scope), subject, of_workspace
