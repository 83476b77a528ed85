-- Where does each workspace stand this month up to yesterday, against the same days of the last?
-- Of all runs and the platform's own, of as many days as the month before has; on
-- its first day a month has none. Days that were not read, or with costs that are mostly unknown,
-- are compared with nothing.
select
    headlines.workspace_name,
    headlines.month_days_cost_usd as this_month_usd,
    headlines.previous_days_cost_usd as last_month_usd,
    this_month.run_count as this_month_runs,
    if(this_month.is_whole and last_month.is_whole, last_month.run_count, null) as last_month_runs
from reports.rpt_headlines as headlines
left join reports.rpt_periods as this_month
    on this_month.workspace_id = headlines.workspace_id
    and this_month.agent_id = headlines.agent_id
    and this_month.period = 'month_days'
left join reports.rpt_periods as last_month
    on last_month.workspace_id = headlines.workspace_id
    and last_month.agent_id = headlines.agent_id
    and last_month.period = 'previous_days'
where headlines.line_type = 'workspace'
order by this_month_usd desc nulls last
