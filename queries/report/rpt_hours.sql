-- Listed runs by weekday and hour of their creation, in the reporting time zone.
-- Grain: workspace, line, date and hour.
-- key: workspace_id, agent_id, date, hour
-- column weekday: Day of the week, 1 is Monday.
-- column hour: Hour of the day, 0 to 23.
-- column run_count: Listed runs created in the hour.
-- column cost_usd: Cost in US dollars of the listed runs.
select
    workspace_id,
    agent_id,
    date,
    isodow(date) as weekday,
    hour(created_at at time zone getvariable('reporting_timezone')) as hour,
    count(*) as run_count,
    sum(cost_usd) as cost_usd
from marts.fct_runs
group by all
order by workspace_id, date, agent_id, hour
