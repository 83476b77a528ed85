-- Whose an agent is from when to when, by the rules of finance/owners.csv: of those that match it
-- on a day, the one of the lowest precedence, which is the most specific. Rules match agents that
-- were ever seen, and, by their identifiers only, runs without an agent and the platform. Spans of
-- an agent do not overlap; on other days it is nobody's.
-- A day of a closed month stays whose the books have it, unless the rule has a first day. Days of
-- the month of which the books have no charge follow the one before, else the one after.
-- Grain: workspace, line and first day.
-- key: workspace_id, agent_id, first_date
-- column precedences: Of all rules that match on these days.
-- materialized: table
with

rules as (
    select
        names.workspace_id,
        rules.* replace (
            coalesce(rules.valid_from, date '0001-01-01') as valid_from,
            coalesce(rules.valid_to, date '9999-12-31') as valid_to
        )
    from finance.owner_rules as rules
    join intermediate.int_workspace_names as names on names.written = rules.workspace
    where names.is_glob = regexp_matches(rules.workspace, '[*?]') and not names.is_ambiguous
),

matching as (
    select names.agent_id, rules.*
    from rules
    join intermediate.int_agent_names as names
        on names.workspace_id = rules.workspace_id and names.written = rules.agent
    where names.is_glob = regexp_matches(rules.agent, '[*?]')
    qualify not bool_or(names.is_ambiguous) over (partition by precedence)
),

booked as (
    select
        workspace_id,
        agent_id,
        if(row_number() over month_of_agent = 1, usage_month, utc_date) as first_date,
        coalesce(lead(utc_date) over month_of_agent - 1, last_day(usage_month)) as last_date,
        holder
    from (
        select
            usage_month,
            workspace_id,
            agent_id,
            utc_date,
            {owner: owner, cost_center: cost_center, account: account} as holder
        from intermediate.int_booked_owners
        qualify holder is distinct from lag(holder) over (
            partition by workspace_id, agent_id, usage_month order by utc_date
        )
    )
    window month_of_agent as (partition by workspace_id, agent_id, usage_month order by utc_date)
),

-- Days on which the owner may change.
starts as (
    select workspace_id, agent_id, valid_from as first_date
    from matching
    union
    select workspace_id, agent_id, valid_to + 1
    from matching
    where valid_to < date '9999-12-31'
    union
    select workspace_id, agent_id, unnest([first_date, last_date + 1])
    from booked
),

spans as (
    select
        *,
        coalesce(
            lead(first_date) over (partition by workspace_id, agent_id order by first_date) - 1,
            date '9999-12-31'
        ) as last_date
    from starts
),

ruled as (
    select
        spans.*,
        arg_min(
            {
                owner: coalesce(owner, '(none)'),
                cost_center: coalesce(cost_center, '(none)'),
                account: account
            },
            precedence
        ) as holder,
        arg_min(valid_from, precedence) > date '0001-01-01' as has_first_day,
        list(precedence order by precedence) as precedences
    from spans
    join matching
        on matching.workspace_id = spans.workspace_id
        and matching.agent_id = spans.agent_id
        and spans.first_date between matching.valid_from and matching.valid_to
    group by all
)

select
    workspace_id,
    agent_id,
    spans.first_date,
    spans.last_date,
    unnest(if(has_first_day, ruled.holder, coalesce(booked.holder, ruled.holder))),
    coalesce(precedences, []) as precedences
from spans
left join ruled using (workspace_id, agent_id, first_date)
left join booked
    on booked.workspace_id = spans.workspace_id
    and booked.agent_id = spans.agent_id
    and spans.first_date between booked.first_date and booked.last_date
where coalesce(booked.holder, ruled.holder) is not null
