-- Charges of a month by the cost center that bears them. Direct lines are those of the agent's own
-- cost center by finance/owners.csv; what is shared (source platform, no_agent, unlisted or failed)
-- goes where a rule of finance/allocation.toml sends it. What no rule shares out stays at the cost
-- center of its line, and is '(not allocated)' where the line has none, or where no cost center has
-- a weight. Of each line, all rows add up to its charges to the last digit; no row is zero. Closed
-- months are as booked; their corrections stand at the cost center of their charge.
-- Of the platform's line, no_agent is what runs without an agent cost, as far as the line goes; of
-- an agent's, failed and then unlisted is what its runs cost, at most what the line still has, and
-- only where a rule shares it out. The bill goes with the cost, in proportion.
-- Grain: usage month, workspace, line, cost center of the line, cost center, source and rule.
-- key: usage_month, workspace_id, agent_id, line_cost_center, cost_center, source, rule
-- frozen: usage_month
-- ref agent_id: dim_agents
-- values source: direct, platform, no_agent, unlisted, failed
-- column usage_month: First day of the calendar month of the meter (UTC).
-- column agent_id: Line whose charge it is, as in dim_agents; '(platform)' for usage that names no
-- agent.
-- column line_cost_center: Cost center at which it was charged, that of the line by
-- finance/owners.csv; '(none)' without one.
-- column cost_center: Cost center that bears it; '(none)' for agents without one, '(not allocated)'
-- for what is shared and falls to nobody.
-- column source: direct, or the pool: platform, no_agent (usage of runs without an agent), unlisted
-- or failed (of the agent's runs).
-- column rule: Name of the rule of finance/allocation.toml; '(none)' without one.
with

lines as (
    select
        month,
        workspace_id,
        agent_id,
        line_type,
        cost_center as line_cost_center,
        finance.units(sum(metered_cost_usd)) as cost,
        finance.units(sum(billed_usd)) as billed,
        greatest(coalesce(finance.units(sum(metered_cost_usd)), 0), 0) as to_share,
        finance.units(coalesce(sum(cost_usd), 0)) as run_cost,
        greatest(finance.units(coalesce(sum(failed_cost_usd), 0)), 0) as failed_cost,
        greatest(finance.units(coalesce(sum(unlisted_cost_usd), 0)), 0) as unlisted_cost,
        coalesce(sum(run_count), 0)::hugeint as runs,
        coalesce(sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)), 0)::hugeint as tokens
    from intermediate.int_agent_owner_months
    anti join (from finance.closings where status = 'closed') using (month)
    group by all
),

in_force as (
    select months.month, months.workspace_id, source, arg_min(rules, precedence) as rule
    from (select distinct month, workspace_id from lines) as months
    join intermediate.int_allocation_rules as rules
        on rules.workspace_id = months.workspace_id
        and months.month between first_month and last_month
    group by all
),

-- What each line has of each source; the rest comes last.
sourced as (
    select
        *,
        if(list_contains(pools, 'failed'), least(failed_cost, to_share), 0) as failed,
        if(list_contains(pools, 'unlisted'), least(unlisted_cost, to_share - failed), 0)
            as unlisted,
        greatest(sum(run_cost) filter (line_type = 'no_agent') over workspace, 0) as of_no_agent,
        coalesce(sum(to_share) filter (line_type <> 'agent') over line, 0) as so_far,
        least(of_no_agent, so_far) - least(of_no_agent, so_far - to_share) as no_agent
    from lines
    left join (select month, workspace_id, list(source) as pools from in_force group by all)
        using (month, workspace_id)
    window
        workspace as (partition by month, workspace_id),
        line as (workspace order by agent_id, line_type, line_cost_center rows unbounded preceding)
),

parts as (
    select
        month,
        workspace_id,
        agent_id,
        line_cost_center,
        cost as line_cost,
        billed as line_billed,
        unnest(
            if(
                line_type = 'agent',
                [
                    {place: 1, source: 'failed', cost: failed},
                    {place: 2, source: 'unlisted', cost: unlisted},
                    {place: 3, source: 'direct', cost: cost - failed - unlisted}
                ],
                [
                    {place: 1, source: 'no_agent', cost: coalesce(no_agent, 0)},
                    {place: 3, source: 'platform', cost: cost - coalesce(no_agent, 0)}
                ]
            ),
            recursive := true
        )
    from sourced
),

billed_parts as (
    select
        * exclude (line_cost, line_billed),
        finance.share_of(
            line_billed, cost, sum(cost) over (line order by place), sum(cost) over line, place = 3
        ) as billed
    from parts
    window line as (partition by month, workspace_id, agent_id, line_cost_center)
),

weights as (
    select month, workspace_id, source, cost_center, finance.units(share) as weight
    from in_force
    join finance.allocation_shares as shares on shares.rule = in_force.rule.rule
    where in_force.rule.method = 'fixed'
    union all
    select
        month,
        workspace_id,
        source,
        line_cost_center as cost_center,
        case in_force.rule.basis
            when 'cost' then sum(cost)
            when 'billed' then sum(billed)
            when 'runs' then sum(runs)
            when 'tokens' then sum(tokens)
            else 1
        end as weight
    from in_force
    join lines using (month, workspace_id)
    where
        in_force.rule.method <> 'fixed'
        and line_type = 'agent'
        and line_cost_center <> '(none)'
        and (cost <> 0 or billed <> 0 or runs <> 0)
    group by month, workspace_id, source, line_cost_center, in_force.rule.basis
),

targets as (
    select
        *,
        sum(weight) over pool as whole,
        sum(weight) over (pool order by cost_center) as so_far
    from weights
    where weight > 0
    window pool as (partition by month, workspace_id, source)
),

shared as (
    select
        month,
        workspace_id,
        agent_id,
        line_cost_center,
        case
            when in_force.rule is not null then coalesce(targets.cost_center, '(not allocated)')
            when source = 'direct' or line_cost_center <> '(none)' then line_cost_center
            else '(not allocated)'
        end as cost_center,
        source,
        coalesce(in_force.rule.name, '(none)') as rule,
        if(weight is null, cost, finance.share_of(cost, weight, so_far, whole, false)) as cost,
        if(weight is null, billed, finance.share_of(billed, weight, so_far, whole, false)) as billed
    from billed_parts
    left join in_force using (month, workspace_id, source)
    left join targets using (month, workspace_id, source)
)

select
    usage_month,
    workspace_id,
    agent_id,
    agent_name,
    line_cost_center,
    cost_center,
    source,
    rule,
    metered_cost_usd,
    billed_usd
from (
    select
        * exclude (month, cost, billed),
        month as usage_month,
        finance.usd(cost) as metered_cost_usd,
        finance.usd(billed) as billed_usd
    from shared
    where cost <> 0 or billed <> 0
    union all by name
    from finance.closed_allocations
)
left join (select workspace_id, agent_id, agent_name from marts.dim_agents)
    using (workspace_id, agent_id)
order by all
