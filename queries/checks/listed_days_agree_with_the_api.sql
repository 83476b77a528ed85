-- Where every run of an agent's day is listed, run counts by status, cost and tokens are those that
-- the API reports of the day.
-- control: listed runs
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
where not has_unlisted
order by workspace_id, utc_date, agent_id, measure
