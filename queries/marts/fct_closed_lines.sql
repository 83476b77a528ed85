-- Closed months as they were booked: a line for each agent, owner and cost center, frozen. Later
-- changes are in fct_period_adjustments; both together are today's figures.
-- Amounts are those of the UTC days of the meter (fct_charges); counts of runs, their cost and
-- failed cost are those of fct_agent_owner_months, of runs created in the month.
-- Grain: month, workspace, line, owner and cost center.
-- key: month, workspace_id, agent_id, owner, cost_center
-- ref workspace_id: dim_workspaces
-- column month: First day of the closed calendar month.
-- column revision: Number of the close of this month, from 1; the one in force.
-- column cost_usd: Metered cost in US dollars at the provider's list price.
-- column run_cost_usd: Cost in US dollars of the runs created in the month.
-- column tokens_in: Input tokens of the metered requests.
-- column tokens_out: Output tokens of the metered requests.
select *
from finance.closed_lines
order by month, workspace_id, agent_id, owner, cost_center
