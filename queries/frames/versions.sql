-- Versions that began, with their first run, within 28 days, and the version before each. One is
-- over three days after its last run.
select *
from (
    select
        workspace_id,
        versions.agent_id,
        agent_version,
        lag(agent_version) over agent as previous_version,
        first_run_at,
        if(last_run_at < last_batch_at - interval 3 days, last_run_at, null) as until,
        last_batch_at
    from marts.dim_agent_versions as versions
    join marts.dim_workspaces using (workspace_id)
    where first_run_at is not null
    window agent as (
        partition by workspace_id, versions.agent_id order by first_run_at, agent_version
    )
)
where first_run_at >= last_batch_at - interval 28 days and previous_version is not null
