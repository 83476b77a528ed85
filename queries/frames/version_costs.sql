-- What the newest 500 successful runs of a version cost, of each agent that has a version of the
-- last 28 days.
select workspace_id, agent_id, agent_version, unnest(newest, recursive := true)
from (
    select
        workspace_id,
        runs.agent_id,
        agent_version,
        max_by(
            {'utc_date': (created_at at time zone 'UTC')::date, 'cost': cost_usd::double},
            created_at,
            500
        ) as newest
    from marts.fct_runs as runs
    join marts.dim_workspaces using (workspace_id)
    semi join (
        select workspace_id, versions.agent_id
        from marts.dim_agent_versions as versions
        join marts.dim_workspaces using (workspace_id)
        where first_run_at >= last_batch_at - interval 28 days
    ) as begun using (workspace_id, agent_id)
    where created_at >= last_batch_at - interval 88 days
        and status = 'succeeded' and cost_usd is not null
    group by all
)
