-- Whose an agent is from when to when, by the rules of finance/owners.csv: of those that match it
-- on a day, the one of the lowest precedence, which is the most specific. Rules match agents that
-- were ever seen, and, by their identifiers only, runs without an agent and the platform. Spans of
-- an agent do not overlap; no rule matches it on other days.
-- Grain: workspace, line and first day.
-- key: workspace_id, agent_id, first_date
-- column precedences: Of all rules that match on these days.
-- materialized: table
with

rules as (
    select
        workspaces.workspace_id,
        rules.* replace (
            coalesce(rules.valid_from, date '0001-01-01') as valid_from,
            coalesce(rules.valid_to, date '9999-12-31') as valid_to
        ),
        regexp_matches(rules.agent, '[*?]') as is_glob,
        finance.pattern_of(finance.folded(rules.agent)) as pattern
    from finance.owner_rules as rules
    join marts.dim_workspaces as workspaces
        on finance.folded(workspaces.workspace_id)
            like finance.pattern_of(finance.folded(rules.workspace)) escape '\'
        or finance.folded(workspaces.workspace_name)
            like finance.pattern_of(finance.folded(rules.workspace)) escape '\'
),

matching as (
    select distinct names.agent_id, rules.*
    from intermediate.int_agent_names as names
    join rules
        on rules.workspace_id = names.workspace_id
        and names.name like rules.pattern escape '\'
        and not (rules.is_glob and names.agent_id in ('(none)', '(platform)'))
),

-- Days on which the rule that counts may change.
starts as (
    select workspace_id, agent_id, valid_from as first_date
    from matching
    union
    select workspace_id, agent_id, valid_to + 1
    from matching
    where valid_to < date '9999-12-31'
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
    spans.*,
    coalesce(arg_min_null(matching.owner, matching.precedence), '(none)') as owner,
    coalesce(arg_min_null(matching.cost_center, matching.precedence), '(none)') as cost_center,
    arg_min_null(matching.account, matching.precedence) as account,
    list(matching.precedence order by matching.precedence) as precedences
from spans
join matching
    on matching.workspace_id = spans.workspace_id
    and matching.agent_id = spans.agent_id
    and spans.first_date between matching.valid_from and matching.valid_to
group by all
