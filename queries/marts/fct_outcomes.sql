-- What came of an agent's work, of finance/outcomes.csv, beside all that the agent cost in the
-- month, whatever its runs were for. A month is told from the first to the last day of the file
-- alone: an outcome that an agent has in another month is 0 there, and in months without a day of
-- the file there is no row. An outcome of an agent, a run or a session that is not known is the
-- line '(none)', which has no cost. Grain: workspace, agent, month and outcome.
-- key: workspace_id, agent_id, month, outcome
-- column outcome: What was reached, as the file names it: a merged pull request, a solved ticket.
-- column outcome_count: How often it was reached.
-- column cost_usd: All cost in US dollars of the agent's runs of the month; null of the line
-- '(none)'.
-- column cost_per_outcome_usd: cost_usd / outcome_count; null where there is none. An agent with
-- several outcomes has all of its cost under each.
-- column value_usd: Value in US dollars of the outcomes as the file states it; null where it states
-- none of one.
with

outcomes as (
    select
        workspace_id,
        coalesce(agent_id, '(none)') as agent_id,
        date_trunc('month', date)::date as month,
        outcome,
        count,
        value_usd
    from intermediate.int_outcomes
    where workspace_id is not null
),

-- Each month of the file, of each outcome that an agent has.
months as (
    select
        workspace_id,
        agent_id,
        outcome,
        unnest(range(first, last + interval 1 day, interval 1 month))::date as month
    from (select distinct workspace_id, agent_id, outcome from outcomes)
    cross join (
        select min(date_trunc('month', date)) as first, max(date_trunc('month', date)) as last
        from finance.outcomes
    )
),

counted as (
    select
        workspace_id,
        agent_id,
        month,
        outcome,
        coalesce(sum(outcomes.count), 0)::bigint as outcome_count,
        if(count(outcomes.value_usd) = count(outcomes.count), sum(outcomes.value_usd), null)
            as value_usd
    from months
    left join outcomes using (workspace_id, agent_id, outcome, month)
    group by all
)

select
    workspace_id,
    workspaces.workspace_name,
    agent_id,
    agents.agent_slug,
    agents.agent_name,
    month,
    outcome,
    outcome_count,
    if(agent_id = '(none)', null, costs.cost_usd) as cost_usd,
    if(
        agent_id = '(none)', null, usd_per_success(costs.cost_usd, outcome_count)
    ) as cost_per_outcome_usd,
    value_usd
from counted
left join marts.fct_agent_months as costs using (workspace_id, agent_id, month)
left join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_agents as agents using (workspace_id, agent_id)
order by workspace_id, agent_id, month, outcome
