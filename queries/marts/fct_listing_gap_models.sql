-- What the runs of a listing gap used of each model: the metered usage of the agent's day less
-- that of the runs that are held. Usage counts by request and runs by creation, so the sum over
-- models differs from the gap's cost by what was requested on another day than the run's.
-- Grain: workspace, agent, UTC day, model and provider.
-- key: workspace_id, agent_id, date, model, provider
-- column date: Calendar day in UTC.
with

metered as (
    select
        usage.workspace_id,
        usage.agent_id,
        gaps.date,
        usage.model,
        usage.provider,
        sum(usage.cost_usd) as metered_cost_usd
    from staging.stg_usage_hours as usage
    join marts.fct_listing_gaps as gaps
        on
            gaps.workspace_id = usage.workspace_id
            and gaps.agent_id = usage.agent_id
            and gaps.date = (usage.hour at time zone 'UTC')::date
    group by all
),

gap_runs as (
    select runs.workspace_id, runs.run_id, runs.agent_id, gaps.date, runs.cost_usd
    from intermediate.int_runs as runs
    join marts.fct_listing_gaps as gaps
        on
            gaps.workspace_id = runs.workspace_id
            and gaps.agent_id = runs.agent_id
            and gaps.date = (runs.created_at at time zone 'UTC')::date
),

undetailed as (
    select distinct workspace_id, agent_id, date
    from gap_runs
    anti join staging.stg_run_costs using (workspace_id, run_id)
    where cost_usd is distinct from 0
),

held as (
    select
        gap_runs.workspace_id,
        gap_runs.agent_id,
        gap_runs.date,
        costs.model,
        costs.provider,
        sum(costs.cost_usd) as held_cost_usd
    from gap_runs
    join staging.stg_run_costs as costs using (workspace_id, run_id)
    group by all
),

figures as (
    from metered
    union all by name
    from held
)

select
    figures.workspace_id,
    figures.agent_id,
    figures.date,
    figures.model,
    figures.provider,
    coalesce(max(figures.metered_cost_usd), 0)::decimal(38, 10) as metered_cost_usd,
    if(
        bool_or(undetailed.date is not null),
        null,
        coalesce(max(figures.held_cost_usd), 0)
    )::decimal(38, 10) as held_cost_usd,
    (
        coalesce(max(figures.metered_cost_usd), 0)
        - if(
            bool_or(undetailed.date is not null),
            null,
            coalesce(max(figures.held_cost_usd), 0)
        )
    )::decimal(38, 10) as missing_cost_usd
from figures
left join undetailed using (workspace_id, agent_id, date)
group by all
order by all
