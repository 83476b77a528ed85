-- The bridge of a budget leads, by the change that was budgeted and the effects, to its actual
-- amount, to the last digit; over the amount of the month before, by its own charges, while the
-- month is not closed.
with

bridges as (
    select
        *,
        budget_usd + budgeted_change_usd as previous_usd,
        previous_usd
        + change_effect_usd
        + volume_effect_usd
        + agent_mix_effect_usd
        + tokens_per_run_effect_usd
        + model_mix_effect_usd
        + price_effect_usd
        + failure_effect_usd
        + new_agent_effect_usd
        + retired_agent_effect_usd
        + platform_effect_usd
        + surcharge_effect_usd as steps_usd
    from marts.fct_budget_bridge
),

days as (
    select
        scope,
        name,
        workspace_id,
        (date_trunc('month', utc_date) + interval 1 month)::date as month,
        sum(actual_usd) as charged_before_usd
    from marts.fct_budget_days
    group by all
)

select
    scope,
    name,
    workspace_id,
    month,
    previous_usd,
    charged_before_usd,
    steps_usd,
    actual_usd
from bridges
left join days using (scope, name, workspace_id, month)
left join (select month as closed_month from finance.closings where state = 'closed') as closings
    on closings.closed_month = month
where
    steps_usd <> actual_usd
    or closings.closed_month is null and previous_usd <> coalesce(charged_before_usd, 0)
order by all
