-- Listed runs by what started them, and how that is known.
-- Grain: workspace, line, date and trigger.
-- key: workspace_id, agent_id, date, trigger
-- narrow: date
-- column trigger: Type of the trigger, and its evidence where it is known.
-- column cost_usd: Known cost in US dollars of the runs; null where none is known.
-- column failed_cost_usd: The same of those that failed; 0 where none did.
select
    workspace_id,
    agent_id,
    date,
    concat(trigger_type, ' (' || nullif(trigger_evidence, 'unknown') || ')') as trigger,
    count(*) as listed_run_count,
    count(*) filter (status = 'failed') as listed_failed_count,
    sum(cost_usd) as cost_usd,
    if(listed_failed_count = 0, 0, sum(cost_usd) filter (status = 'failed'))::decimal(38, 10)
        as failed_cost_usd
from marts.fct_runs
group by all
