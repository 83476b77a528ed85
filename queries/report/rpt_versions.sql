-- Listed runs by version of their agent. Grain: workspace, line, date and version.
-- key: workspace_id, agent_id, date, agent_version
-- narrow: date
-- column agent_version: Number of the agent's version that ran; -1 without one.
-- column listed_run_count: Listed runs of any status.
-- column listed_failed_count: Listed runs that failed.
-- column listed_finished_count: Listed runs that succeeded or failed.
-- column cost_usd: Known cost in US dollars of the listed runs; null where none is known.
-- column run_cost_usd: It, where that of each run is known, else null.
select
    workspace_id,
    agent_id,
    date,
    coalesce(agent_version, -1)::bigint as agent_version,
    count(*) as listed_run_count,
    count(*) filter (status = 'failed') as listed_failed_count,
    count(*) filter (status in ('succeeded', 'failed')) as listed_finished_count,
    sum(cost_usd) as cost_usd,
    if(count(cost_usd) < count(*), null, sum(cost_usd)) as run_cost_usd,
    count(*) - count(cost_usd) as unknown_cost_count
from marts.fct_runs
group by all
