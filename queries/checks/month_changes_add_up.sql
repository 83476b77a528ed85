-- The effects of a month's change add up to the change of cost of the days that it compares, for
-- each line and for the workspace, to the last digit.
with

changes as (
    select
        workspace_id,
        agent_id,
        month,
        (month - interval 1 month)::date as previous_month,
        any_value(current_day_count) as current_day_count,
        any_value(previous_day_count) as previous_day_count,
        coalesce(sum(amount_usd), 0) as effects_usd
    from marts.fct_month_changes
    group by all
),

days as (
    select workspace_id, agent_id, date, cost_usd
    from marts.fct_agent_days
    union all
    select workspace_id, '(all)' as agent_id, date, cost_usd
    from marts.fct_workspace_days
),

sums as (
    select
        changes.workspace_id,
        changes.agent_id,
        changes.month,
        changes.effects_usd,
        coalesce(sum(if(days.date < changes.month, -days.cost_usd, days.cost_usd)), 0) as change_usd
    from changes
    left join days
        on
            days.workspace_id = changes.workspace_id
            and days.agent_id = changes.agent_id
            and (
                date_trunc('month', days.date) = changes.month
                and day(days.date) <= changes.current_day_count
                or date_trunc('month', days.date) = changes.previous_month
                and day(days.date) <= changes.previous_day_count
            )
    group by all
)

select *
from sums
where effects_usd <> change_usd
