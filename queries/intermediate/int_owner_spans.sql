-- Whose an agent is from when to when, by the rules of finance/owners.csv: of those that match it
-- on a day, the most specific. Spans of an agent do not overlap; no rule matches it on other days.
-- Grain: workspace, line and first day.
-- key: workspace_id, agent_id, first_date
-- materialized: table
with

matching as (
    select *
    from intermediate.int_owner_matches
    join staging.stg_owner_rules using (precedence)
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
