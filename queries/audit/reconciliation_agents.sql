-- Where the unexplained cost of a day comes from: what the API sums for an agent, less its runs and
-- gaps; for a null agent, usage without an agent less the platform's. Days that agree are left out.
-- Grain: workspace, UTC day and agent.
-- key: workspace_id, date, agent_id
-- column date: Calendar day in UTC.
-- column cost_usd: The API's sum in US dollars for the agent's runs; without one, metered usage.
with

platform as (
    select workspace_id, date, null::varchar as agent_id, sum(cost_usd) as platform_cost_usd
    from marts.fct_platform_agent_days
    group by workspace_id, date
),

compared as (
    select
        workspace_id,
        date,
        agent_id,
        coalesce(if(agent_id is null, metered_cost_usd, summed_cost_usd), 0) as cost_usd,
        run_cost_usd,
        open_cost_usd
    from intermediate.int_agent_days_compared
),

figures as (
    from compared
    union all by name
    from platform
    union all by name
    select workspace_id, date, agent_id, missing_cost_usd as gap_cost_usd
    from marts.fct_listing_gaps
),

agent_days as (
    select
        workspace_id,
        date,
        agent_id,
        coalesce(sum(cost_usd), 0)::decimal(38, 10) as cost_usd,
        coalesce(sum(run_cost_usd), 0)::decimal(38, 10) as run_cost_usd,
        coalesce(sum(open_cost_usd), 0)::decimal(38, 10) as open_cost_usd,
        coalesce(sum(platform_cost_usd), 0)::decimal(38, 10) as platform_cost_usd,
        coalesce(sum(gap_cost_usd), 0)::decimal(38, 10) as gap_cost_usd
    from figures
    semi join intermediate.int_metered_days using (workspace_id, date)
    group by workspace_id, date, agent_id
)

select
    *,
    (cost_usd - run_cost_usd - open_cost_usd - platform_cost_usd - gap_cost_usd)::decimal(38, 10)
        as unexplained_usd
from agent_days
where unexplained_usd <> 0
order by workspace_id, date, agent_id
