-- The models on which an agent's tokens of the last UTC month that is over would have cost less.
-- Grain: workspace, agent and model.
select costs.*
from marts.what_if_by_model() as costs
join reports.rpt_calendars using (workspace_id)
where cheaper_rank <= 3 and month = date_trunc('month', today) - interval 1 month
