-- The last restatement of an agent's day says what fct_agent_days says.
with

last_restatements as (
    select
        workspace_id,
        agent_id,
        date,
        arg_max(is_cost_usd, load_id) as restated_cost_usd,
        arg_max(is_run_count, load_id) as restated_run_count
    from marts.fct_restatements
    group by workspace_id, agent_id, date
)

select
    restated.workspace_id,
    restated.agent_id,
    restated.date,
    restated.restated_cost_usd,
    coalesce(days.cost_usd, 0) as cost_usd,
    restated.restated_run_count,
    coalesce(days.run_count, 0) as run_count
from last_restatements as restated
left join marts.fct_agent_days as days
    on
        days.workspace_id = restated.workspace_id
        and days.agent_id is not distinct from restated.agent_id
        and days.date = restated.date
where
    restated.restated_cost_usd <> coalesce(days.cost_usd, 0)
    or restated.restated_run_count <> coalesce(days.run_count, 0)
