-- Names by which files of finance/ name agents, and the lines '(none)' and '(platform)', as they
-- are compared: identifiers, and slugs, which agents may have had one after the other.
-- Grain: workspace, agent and name.
-- key: workspace_id, agent_id, name
-- column number: Of the agents of a name from 1: the one whose identifier it is, one that is
-- listed, the one that ran last.
select
    workspace_id,
    agent_id,
    name,
    row_number() over (
        partition by workspace_id, name
        order by name = finance.folded(agent_id) desc, is_listed desc, last_run_at desc, agent_id
    ) as number
from (
    select distinct
        workspace_id,
        agent_id,
        is_listed,
        last_run_at,
        finance.folded(unnest([agent_id, agent_slug])) as name
    from intermediate.int_agents
    union all by name
    select workspace_id, unnest(['(none)', '(platform)']) as agent_id, agent_id as name
    from marts.dim_workspaces
)
where name is not null
