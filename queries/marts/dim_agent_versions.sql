-- Versions of agents, as the API lists them or as runs name them. Grain: agent and version.
-- key: workspace_id, agent_id, agent_version
-- column agent_id: Identifier of the agent.
-- column agent_version: Number of the version, counted from 1 for each agent.
-- column status: Last known state: draft, active or archived; null where only runs tell of it.
-- column created_at: When the version was created (UTC); null where only runs tell of it.
-- column published_at: When it became active (UTC); null where no batch saw it active.
-- column first_run_at: When its first known run was created (UTC); null where no run is known.
-- column last_run_at: When its latest known run was created (UTC); null where no run is known.
-- column is_listed: True if the API's list of the agent's versions had it when it was last read.
with

listed as (
    select
        workspace_id,
        agent_id,
        agent_version,
        arg_max_null(status, (is_current, version_id)) as status,
        arg_max_null(parent_version, (is_current, version_id)) as parent_version,
        min(created_at) as created_at,
        arg_min(updated_at, version_id) filter (status = 'active') as published_at,
        bool_or(is_current) as is_listed
    from staging.agent_versions
    group by workspace_id, agent_id, agent_version
),

ran as (
    select
        workspace_id,
        agent_id,
        agent_version,
        min(created_at) as first_run_at,
        max(created_at) as last_run_at
    from staging.runs
    where is_current and agent_id is not null and agent_version is not null
    group by workspace_id, agent_id, agent_version
)

select
    workspace_id,
    agent_id,
    agents.agent_name,
    agent_version,
    listed.status,
    listed.parent_version,
    listed.created_at,
    listed.published_at,
    ran.first_run_at,
    ran.last_run_at,
    coalesce(listed.is_listed, false) as is_listed
from listed
full join ran using (workspace_id, agent_id, agent_version)
left join marts.dim_agents as agents using (workspace_id, agent_id)
order by workspace_id, agent_id, agent_version
