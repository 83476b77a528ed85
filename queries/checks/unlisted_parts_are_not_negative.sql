-- No part of an agent's day has more in listed runs than the API reports of all its runs: run
-- counts by status, cost and tokens.
-- control: unlisted runs
-- sources: runs | runs/daily, analytics/agents
select
    workspace_id,
    agent_id,
    utc_date,
    measure,
    listed_value as ours,
    api_value as theirs,
    if(measure = 'cost_usd', difference, null) as difference_usd,
    difference,
    is_closed
from intermediate.int_listed_day_differences
where has_unlisted
order by workspace_id, utc_date, agent_id, measure
