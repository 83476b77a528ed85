-- Listed runs by what started them, and how that is known.
-- Grain: workspace, line, date, trigger and evidence.
-- key: workspace_id, agent_id, date, trigger_type, trigger_evidence
-- narrow: date
-- column cost_usd: Known cost in US dollars of the runs; null where none is known.
-- column failed_cost_usd: The same of those that failed.
select
    workspace_id,
    agent_id,
    date,
    coalesce(trigger_type, 'unknown') as trigger_type,
    coalesce(trigger_evidence, 'unknown') as trigger_evidence,
    count(*) as listed_run_count,
    count(*) filter (status = 'failed') as listed_failed_count,
    sum(cost_usd) as cost_usd,
    sum(cost_usd) filter (status = 'failed') as failed_cost_usd
from marts.fct_runs
group by all
