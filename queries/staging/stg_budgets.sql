-- Budgets of finance/budgets.csv; without a workspace, a budget is of all workspaces together.
-- Grain: line.
-- key: line
select
    line,
    scope,
    name,
    workspace,
    month,
    amount_usd
from finance.budgets
