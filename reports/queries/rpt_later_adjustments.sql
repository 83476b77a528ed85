-- Adjustments of closed months, each in the month to which its usage belongs. Grain: as
-- fct_period_adjustments.
select * exclude (month, usage_month), usage_month as month, month as booked_month
from reports.rpt_period_adjustments
order by workspace_id, month, booked_month, agent_id, owner, cost_center, cause
