-- Failed listed runs by error class. Grain: workspace, line, date and error class.
-- key: workspace_id, agent_id, date, error_class
-- narrow: date
-- column error_class: What the error is, as fct_runs has it; '(none)' without one.
-- column cost_usd: Known cost in US dollars of the failed runs; null where none is known.
select
    workspace_id,
    agent_id,
    date,
    coalesce(error_class, '(none)') as error_class,
    count(*) as listed_failed_count,
    sum(cost_usd) as cost_usd
from marts.fct_runs
where status = 'failed'
group by all
