-- Listed runs by version of their agent. Grain: workspace, line, date and version.
-- key: workspace_id, agent_id, date, agent_version
-- column agent_version: Version of the agent; -1 for runs that name none.
-- column run_count: Listed runs of the version.
-- column cost_usd: Cost in US dollars of the listed runs.
select
    workspace_id,
    agent_id,
    date,
    coalesce(agent_version, -1) as agent_version,
    count(*) as run_count,
    count(*) filter (status = 'failed') as failed_count,
    count(*) filter (status in ('succeeded', 'failed')) as finished_count,
    sum(cost_usd) as cost_usd
from marts.fct_runs
group by all
order by workspace_id, date, agent_id, agent_version
