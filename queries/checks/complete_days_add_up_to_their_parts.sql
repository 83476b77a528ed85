-- A workspace's complete cost of a day is that of its agents' runs, listed and missing, and of the
-- platform's runs.
with

parts as (
    select workspace_id, date, complete_cost_usd as of_parts
    from marts.fct_agent_days_complete
    union all
    select workspace_id, date, cost_usd
    from marts.fct_platform_agent_days
),

figures as (
    from parts
    union all by name
    select workspace_id, date, complete_cost_usd as of_days
    from marts.fct_workspace_days_complete
)

select
    workspace_id,
    date,
    coalesce(sum(of_parts), 0) as of_parts,
    coalesce(sum(of_days), 0) as of_days
from figures
group by workspace_id, date
having coalesce(sum(figures.of_parts), 0) <> coalesce(sum(figures.of_days), 0)
