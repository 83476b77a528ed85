-- What do runs of each agent cost in the last 28 complete days, by what started them?
-- Of listed runs: the API does not report what started the others. A schedule is reported of its
-- last run alone; it is inferred of runs that began in a minute in which it fires. chance_percent
-- is the share of such minutes: so many runs that a person started would be inferred to be of the
-- schedule.
select
    runs.workspace_name,
    runs.agent_name,
    runs.trigger_type,
    runs.trigger_evidence,
    schedules.cron_expr,
    schedules.timezone,
    round(100 * schedules.minute_share, 2) as chance_percent,
    count(*) as listed_run_count,
    count(*) filter (runs.status = 'failed') as listed_failed_count,
    sum(runs.cost_usd) as cost_usd,
    if(
        listed_failed_count = 0, 0, sum(runs.cost_usd) filter (runs.status = 'failed')
    )::decimal(38, 10) as failed_cost_usd
from marts.fct_runs as runs
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_schedules as schedules using (workspace_id, schedule_id)
where
    runs.date > workspaces.last_complete_date - 28
    and runs.date <= workspaces.last_complete_date
group by all
order by sum(runs.cost_usd) desc nulls last, runs.agent_name, runs.trigger_type
