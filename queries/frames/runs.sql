-- Listed runs of agents' versions by hour: those of 88 days, since a version is compared with the
-- one before it; the last 57 days are recent. Hours are of UTC, which date_trunc has only by way
-- of a zone.
select
    workspace_id,
    runs.agent_id,
    agent_version,
    time_bucket(interval 1 hour, created_at) as hour,
    created_at >= last_batch_at - interval 57 days as is_recent,
    count(*) filter (status in ('succeeded', 'failed')) as finished_count,
    count(*) filter (status = 'failed') as failed_count,
    sum(cost_usd) filter (status = 'failed') as failed_cost_usd
from marts.fct_runs as runs
join marts.dim_workspaces using (workspace_id)
where created_at >= last_batch_at - interval 88 days
group by all
