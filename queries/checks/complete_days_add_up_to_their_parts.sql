-- The complete cost of a workspace is that of its listed runs, its gaps and the platform's runs.
with

parts as (
    select workspace_id, sum(cost_usd) as cost_usd
    from marts.fct_agent_days
    group by workspace_id
    union all
    select workspace_id, sum(missing_cost_usd)
    from marts.fct_listing_gaps
    group by workspace_id
    union all
    select workspace_id, sum(cost_usd)
    from marts.fct_platform_agent_days
    group by workspace_id
),

figures as (
    select workspace_id, cost_usd as of_parts
    from parts
    union all by name
    select workspace_id, complete_cost_usd as of_days
    from marts.fct_workspace_days_complete
)

select
    workspace_id,
    coalesce(sum(of_parts), 0) as of_parts,
    coalesce(sum(of_days), 0) as of_days
from figures
group by workspace_id
having coalesce(sum(figures.of_parts), 0) <> coalesce(sum(figures.of_days), 0)
