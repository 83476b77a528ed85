-- Unusual days of lines within the last 7 complete days. Grain: workspace, line and date.
-- key: workspace_id, agent_id, date
select
    unusual.workspace_id,
    unusual.agent_id,
    unusual.date,
    unusual.cost_usd,
    unusual.usual_cost_usd,
    unusual.run_count,
    unusual.usual_runs,
    unusual.usd_per_run,
    unusual.usual_usd_per_run,
    unusual.cause
from marts.fct_unusual_days as unusual
join reports.rpt_periods as periods
    on periods.workspace_id = unusual.workspace_id
    and periods.agent_id = '(all)'
    and periods.period = 'week'
    and unusual.date between periods.first_date and periods.last_date
order by unusual.date desc, unusual.cost_usd desc, unusual.workspace_id, unusual.agent_id
