-- Listed runs of a workspace by the hour of the day of their creation. They are not kept by line:
-- that would take as many rows as there are runs.
-- Grain: workspace ('(all)' lines), date and hour; the weekday follows from the date.
-- key: workspace_id, agent_id, date, weekday, hour
-- narrow: date
-- column agent_id: '(all)': every line of the workspace.
-- column hour: Hour of the day, 0 to 23, in the reporting time zone.
-- column run_count: Listed runs of any status.
-- column cost_usd: Known cost in US dollars of the listed runs; null where none is known.
select
    workspace_id,
    '(all)' as agent_id,
    date,
    isodow(date) as weekday,
    hour(created_at at time zone getvariable('reporting_timezone')) as hour,
    count(*) as run_count,
    sum(cost_usd) as cost_usd
from marts.fct_runs
group by all
order by workspace_id, date, hour
