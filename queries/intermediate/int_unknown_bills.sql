-- UTC months of which the API does not give the bill by agent of some day that was asked for.
-- Grain: workspace and month.
-- key: workspace_id, month
select distinct workspace_id, date_trunc('month', utc_date)::date as month
from intermediate.int_metered_days
where not has_agent_bill
order by workspace_id, month
