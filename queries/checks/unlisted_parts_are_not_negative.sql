-- No part of an agent's day has more in listed runs than the API reports of all its runs: run
-- counts by status, cost and tokens.
-- control: unlisted runs
-- measure: run_count
-- sources: runs | runs/daily, analytics/agents
select workspace_id, agent_id, utc_date, measure, ours, theirs, tolerance, is_closed
from intermediate.int_listed_day_comparisons
where has_unlisted
