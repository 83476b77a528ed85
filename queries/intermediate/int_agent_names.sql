-- Agents that the files of finance/ name: by slug, else by identifier, else by the name that pages
-- show. The exact spelling comes first, then one that differs in case or Unicode form. In owners
-- `*` and `?` stand for other characters, but match no line '(none)' or '(platform)': these words
-- mean the lines alone.
-- Grain: name as written, whether it is a glob, workspace and agent.
-- key: written, is_glob, workspace_id, agent_id
-- not_null: is_glob, is_ambiguous
-- column is_ambiguous: True if agents with different slugs have the name: its lines are refused.
-- column slug: The agent's slug, or its identifier if it has none.
-- column first_date: First day on which the name means the agent, where agents have it in turn.
-- column next_date: First day on which it means the next one.
with

written as (
    select distinct written, is_glob and regexp_matches(written, '[*?]') as is_glob
    from (
        select agent as written, true as is_glob from finance.owner_rules
        union all
        select agent, false from finance.outcomes
        union all
        select name, false from finance.budgets where scope = 'agent'
    )
    where written is not null
),

called as (
    select
        workspace_id,
        agent_id,
        coalesce(
            (began_at at time zone getvariable('reporting_timezone'))::date, date '0001-01-01'
        ) as began_on,
        coalesce(agent_slug, agent_id) as slug,
        unnest([agent_slug, agent_id, agent_name]) as name,
        unnest([1, 2, 3]) as rank
    from intermediate.int_agents
),

matching as (
    select
        written, is_glob, workspace_id, agent_id, slug, began_on,
        min((name <> written, rank)) as rank
    from written
    join called on finance.folded(name) = finance.folded(written)
    where not is_glob and written not in ('(none)', '(platform)')
    group by all
    union all
    select distinct written, is_glob, workspace_id, agent_id, slug, began_on, null as rank
    from written
    join called on finance.folded(name) like finance.pattern_of(finance.folded(written)) escape '\'
    where is_glob
    union all by name
    select written, is_glob, workspace_id, written as agent_id, written as slug
    from written
    cross join marts.dim_workspaces
    where written in ('(none)', '(platform)')
)

select
    written,
    is_glob,
    workspace_id,
    agent_id,
    not is_glob and min(slug) over named <> max(slug) over named as is_ambiguous,
    slug,
    if(row_number() over in_turn = 1, date '0001-01-01', began_on) as first_date,
    coalesce(lead(began_on) over in_turn, date '9999-12-31') as next_date
from (
    from matching
    qualify is_glob or rank is not distinct from min(rank) over (
        partition by written, is_glob, workspace_id
    )
)
window
    named as (partition by written, is_glob, workspace_id),
    in_turn as (partition by written, is_glob, workspace_id order by began_on, agent_id)
