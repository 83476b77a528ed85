-- Adjustments of closed months, each in the month to which its usage belongs. Grain: as
-- fct_period_adjustments.
-- key: workspace_id, month, booked_month, agent_id, owner, cost_center, cause
-- column month: First day of the closed month to which the usage belongs.
-- column booked_month: First day of the month that books it: closed, or the next to close.
-- column cause: What changed, in words.
select * exclude (month, usage_month), usage_month as month, month as booked_month
from reports.rpt_period_adjustments
order by workspace_id, month, booked_month, agent_id, owner, cost_center, cause
