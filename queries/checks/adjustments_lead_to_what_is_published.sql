-- The last adjustment of an agent's day says what fct_agent_days says.
with

last_adjustments as (
    select
        workspace_id,
        agent_id,
        date,
        arg_max(current_cost_usd, load_id) as adjusted_cost_usd,
        arg_max(current_run_count, load_id) as adjusted_run_count
    from marts.fct_adjustments
    group by workspace_id, agent_id, date
)

select
    adjusted.workspace_id,
    adjusted.agent_id,
    adjusted.date,
    adjusted.adjusted_cost_usd,
    coalesce(days.cost_usd, 0) as cost_usd,
    adjusted.adjusted_run_count,
    coalesce(days.run_count, 0) as run_count
from last_adjustments as adjusted
left join marts.fct_agent_days as days
    on
        days.workspace_id = adjusted.workspace_id
        and days.agent_id = adjusted.agent_id
        and days.date = adjusted.date
where
    adjusted.adjusted_cost_usd <> coalesce(days.cost_usd, 0)
    or adjusted.adjusted_run_count <> coalesce(days.run_count, 0)
