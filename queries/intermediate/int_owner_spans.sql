-- Whose an agent is from when to when, by the rules of finance/owners.csv: of those that match it
-- on a day, the most specific. Spans of an agent do not overlap; no rule matches it on other days.
-- Runs without an agent and the platform are matched by their identifiers only.
-- Grain: workspace, line and first day.
-- key: workspace_id, agent_id, first_date
-- materialized: table
with

rules as (
    select workspaces.workspace_id, rules.*
    from staging.stg_owner_rules as rules
    join staging.stg_workspaces as workspaces
        on workspaces.workspace_id ilike rules.workspace_pattern escape '\'
        or workspaces.workspace_name ilike rules.workspace_pattern escape '\'
),

names as (
    select workspace_id, agent_id, unnest([agent_id, agent_slug]) as name, true as is_agent
    from intermediate.int_agents
    union all
    select workspace_id, unnest(['(none)', '(platform)']) as agent_id, agent_id, false
    from staging.stg_workspaces
),

matches as (
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
),

matching as (
    select matches.agent_id, rules.*
    from matches
    join rules using (workspace_id, precedence)
),

-- Days on which the rule that counts may change.
starts as (
    select workspace_id, agent_id, first_date
    from matching
    union
    select workspace_id, agent_id, last_date + 1
    from matching
    where last_date < date '9999-12-31'
),

spans as (
    select
        *,
        coalesce(
            lead(first_date) over (partition by workspace_id, agent_id order by first_date) - 1,
            date '9999-12-31'
        ) as last_date
    from starts
)

select
    spans.workspace_id,
    spans.agent_id,
    spans.first_date,
    spans.last_date,
    coalesce(matching.owner, '(none)') as owner,
    coalesce(matching.cost_center, '(none)') as cost_center,
    matching.account
from spans
join matching
    on matching.workspace_id = spans.workspace_id
    and matching.agent_id = spans.agent_id
    and spans.first_date between matching.first_date and matching.last_date
qualify row_number() over (
    partition by spans.workspace_id, spans.agent_id, spans.first_date
    order by matching.precedence
) = 1
