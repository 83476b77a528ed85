-- How long do runs of each agent wait before they begin, in the last 28 complete days?
-- Of listed runs that began.
select
    runs.workspace_name,
    runs.agent_name,
    count(*) as listed_run_count,
    round(quantile_cont(runs.queue_seconds, 0.5), 1) as p50_seconds,
    round(quantile_cont(runs.queue_seconds, 0.95), 1) as p95_seconds,
    round(max(runs.queue_seconds), 1) as longest_seconds
from marts.fct_runs as runs
join marts.dim_workspaces as workspaces using (workspace_id)
where
    runs.date > workspaces.last_complete_date - 28
    and runs.date <= workspaces.last_complete_date
    and runs.queue_seconds is not null
group by runs.workspace_id, runs.workspace_name, runs.agent_id, runs.agent_name
order by p95_seconds desc, listed_run_count desc
