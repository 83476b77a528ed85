-- No run, as the same id of the same agent and creation, counts in two workspaces, unless the one
-- that had it first could not be read since.
with

agents as (
    select agent_id
    from marts.dim_agents
    where line_type = 'agent'
    group by agent_id
    having count(*) > 1
),

runs as (
    select workspace_id, run_id, agent_id, created_at, last_changed_at
    from marts.fct_runs
    semi join agents using (agent_id)
),

reads as (
    select workspace_id, max(last_fetched_at) as last_fetched_at
    from audit.loads
    group by workspace_id
)

select runs.workspace_id, others.workspace_id as other_workspace_id, agent_id, run_id, created_at
from runs
join runs as others using (run_id, agent_id, created_at)
join reads on reads.workspace_id = runs.workspace_id
where
    runs.workspace_id <> others.workspace_id
    and runs.last_changed_at <= others.last_changed_at
    and reads.last_fetched_at >= others.last_changed_at
