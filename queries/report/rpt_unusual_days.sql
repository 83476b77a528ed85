-- The unusual days of the last seven complete days, as fct_unusual_days finds them.
-- Grain: workspace, line and date.
-- key: workspace_id, agent_id, date
-- column cause: more_runs or more_expensive_runs; null for the platform.
-- column recency: current; stale if the workspace was read up to a week or more before the site.
-- column usd_per_run: Cost in US dollars / runs of the date, rounded to ten decimals.
select
    workspace_id,
    agent_id,
    date,
    cost_usd,
    usual_cost_usd,
    run_count,
    usual_runs,
    usd_per_run,
    cause,
    if(is_current, 'current', 'stale') as recency
from marts.fct_unusual_days
join reports.rpt_calendars as calendars using (workspace_id)
where date between calendars.yesterday - 6 and calendars.yesterday
order by workspace_id, date desc, agent_id
