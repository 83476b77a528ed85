-- Of each family the next cheaper model for an agent's tokens of the last UTC month that is over.
-- Grain: workspace, agent and model.
select costs.* exclude (cheaper_rank)
from marts.what_if_by_model() as costs
join reports.rpt_calendars using (workspace_id)
where cheaper_rank = 1 and month = date_trunc('month', today) - interval 1 month
