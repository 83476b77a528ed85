-- Listed runs by what started them, and how that is known.
-- Grain: workspace, line, date and trigger.
-- key: workspace_id, agent_id, date, trigger
-- narrow: date
-- column trigger: Type of the trigger and its evidence, or that the API reports none.
-- column cost_usd: Known cost in US dollars of the runs; null where none is known.
-- column failed_cost_usd: The same of those that failed; 0 where none did.
select
    workspace_id,
    agent_id,
    date,
    if(
        trigger_type = 'unknown',
        'not reported (no schedule, parent run or session)',
        concat(trigger_type, ' (', trigger_evidence, ')')
    ) as trigger,
    count(*) as listed_run_count,
    count(*) filter (status = 'failed') as listed_failed_count,
    sum(cost_usd) as cost_usd,
    if(listed_failed_count = 0, 0, sum(cost_usd) filter (status = 'failed'))::decimal(38, 10)
        as failed_cost_usd
from marts.fct_runs
group by all
