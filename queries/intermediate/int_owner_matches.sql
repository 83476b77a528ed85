-- Which lines each rule of finance/owners.csv matches, on whatever day: agents that were ever seen,
-- and, by their identifiers only, runs without an agent and the platform.
-- Grain: workspace, line and rule.
-- key: workspace_id, agent_id, precedence
-- materialized: table
with

rules as (
    select workspaces.workspace_id, rules.*
    from staging.stg_owner_rules as rules
    join intermediate.int_workspaces as workspaces
        on workspaces.workspace_id ilike rules.workspace_pattern escape '\'
        or workspaces.workspace_name ilike rules.workspace_pattern escape '\'
),

names as (
    select workspace_id, agent_id, unnest([agent_id, agent_slug]) as name, true as is_agent
    from intermediate.int_agents
    union all
    select workspace_id, unnest(['(none)', '(platform)']) as agent_id, agent_id, false
    from intermediate.int_workspaces
)

select names.workspace_id, names.agent_id, rules.precedence
from names
join rules
    on rules.workspace_id = names.workspace_id
    and rules.agent = lower(names.name)
where not rules.is_glob
union
select names.workspace_id, names.agent_id, rules.precedence
from names
join rules
    on rules.workspace_id = names.workspace_id
    and names.name ilike rules.agent_pattern escape '\'
where rules.is_glob and names.is_agent
