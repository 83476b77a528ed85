-- Names by which files of finance/ name agents, and the lines '(none)' and '(platform)', as they
-- are compared. A name means the agents that have it as slug, which may have followed each other;
-- else the one that has it as identifier; else as the name that pages show.
-- Grain: workspace, agent and name.
-- key: workspace_id, agent_id, name
-- not_null: is_meant, is_ambiguous
-- column is_meant: True if the name, written without a wildcard, means this agent.
-- column is_ambiguous: True of each agent of a shown name that agents with different slugs have: a
-- line with it is refused.
-- column number: Of the agents that the name means from 1: one that is listed, the one that ran
-- last.
with

called as (
    select
        workspace_id,
        agent_id,
        is_listed,
        last_run_at,
        coalesce(agent_slug, agent_id) as slug,
        finance.folded(unnest([agent_slug, agent_id, agent_name])) as name,
        unnest([1, 2, 3]) as rank
    from intermediate.int_agents
    union all by name
    select workspace_id, unnest(['(none)', '(platform)']) as agent_id, agent_id as name, 1 as rank
    from marts.dim_workspaces
),

ranked as (
    select workspace_id, agent_id, name, is_listed, last_run_at, slug, min(rank) as rank
    from called
    where name is not null
    group by all
)

select
    workspace_id,
    agent_id,
    name,
    rank = min(rank) over named as is_meant,
    is_meant and rank = 3 and min(slug) over alike <> max(slug) over alike as is_ambiguous,
    if(
        is_meant and not is_ambiguous,
        row_number() over (alike order by is_listed desc, last_run_at desc, agent_id),
        null
    ) as number
from ranked
window
    named as (partition by workspace_id, name),
    alike as (partition by workspace_id, name, rank)
