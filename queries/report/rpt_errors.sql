-- Failed listed runs by error class. Grain: workspace, line, date and error class.
-- key: workspace_id, agent_id, date, error_class
-- column cost_usd: Cost in US dollars of the failed runs.
select
    workspace_id,
    agent_id,
    date,
    coalesce(error_class, 'unknown') as error_class,
    count(*) as failed_count,
    sum(cost_usd) as cost_usd
from marts.fct_runs
where status = 'failed'
group by all
order by workspace_id, date, agent_id, error_class
