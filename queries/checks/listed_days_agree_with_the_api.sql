-- Where every run of an agent's day is listed, run counts by status, cost and tokens are those that
-- the API reports of the day.
-- control: listed runs
-- measure: cost_usd
-- sources: runs | runs/daily, analytics/agents
select workspace_id, agent_id, utc_date, measure, ours, theirs, tolerance, is_closed
from intermediate.int_listed_day_comparisons
where not has_unlisted
